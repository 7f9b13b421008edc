import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { tcpTarget } from './targets.ts'
import { startTap, tlsRecordTypes } from './wire-tap.ts'

const LIMIT = { timeout: 10_000 }

test('a tap passes bytes and half-closes on, and keeps what each side said', LIMIT, async () => {
  await using target = await tcpTarget((socket) => {
    void text(socket).then((question) => socket.end(`answer to ${question}`))
  })
  await using tap = await startTap(target.port)
  const client = connect({ port: tap.port, host: '127.0.0.1', allowHalfOpen: true })
  client.end('question')
  assert.equal(await text(client), 'answer to question')
  const [connection] = tap.connections
  assert.equal(connection?.sent().toString(), 'question')
  assert.equal(connection?.received().toString(), 'answer to question')
})

test('a tap passes resets on', LIMIT, async () => {
  await using target = await tcpTarget((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  await using tap = await startTap(target.port)
  const client = connect({ port: tap.port, host: '127.0.0.1' })
  client.write('x')
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
})

function record(type: number, body: string): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3, body.length >> 8, body.length & 0xff]), Buffer.from(body)])
}

test('TLS records are named by their types, to the last byte', () => {
  const bytes = Buffer.concat([record(22, 'hello'), record(20, ''), record(23, 'x'.repeat(300)), record(21, 'no')])
  assert.deepEqual(tlsRecordTypes(bytes), ['handshake', 'change_cipher_spec', 'application_data', 'alert'])
  assert.deepEqual(tlsRecordTypes(Buffer.alloc(0)), [])
})

test('what is no record is found, wherever it stands', () => {
  const good = record(22, 'hello')
  const bad = [
    Buffer.from('QUIT\r\n'),
    Buffer.from([22, 3]),
    Buffer.from([22, 2, 3, 0, 0]),
    Buffer.from([24, 3, 3, 0, 0]),
  ]
  for (const bytes of bad) assert.throws(() => tlsRecordTypes(Buffer.concat([good, bytes])), /byte 10 of \d+ begins no/)
  assert.throws(() => tlsRecordTypes(good.subarray(0, -1)), /byte 0 of 9 begins no/)
  assert.throws(() => tlsRecordTypes(Buffer.from([23, 3, 3, 0xff, 0xff])), /byte 0/)
})
