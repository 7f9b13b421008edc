import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { serveControlStream } from './control-stream.ts'
import type { Operations } from './control-stream.ts'
import { encodeMessage, MessageDecoder } from './messages.ts'
import type { Message } from './messages.ts'
import { sessionPair, streamPair } from './session-pair.ts'
import type { SessionPair } from './session-pair.ts'
import type { MuxStream } from './stream.ts'

const TEST = { timeout: 10_000 } as const

/** Reads the messages that arrive on a stream. */
function reader(stream: MuxStream): (count: number) => Promise<Message[]> {
  const decoder = new MessageDecoder()
  const messages: Message[] = []
  stream.on('data', (chunk: Buffer) => {
    for (let rest = chunk; rest.length > 0;) {
      rest = rest.subarray(decoder.push(rest))
      if (decoder.message !== undefined) messages.push(decoder.message)
    }
  })
  return async (count) => {
    while (messages.length < count) await once(stream, 'data')
    return messages.splice(0, count)
  }
}

async function served(sessions: SessionPair, operations: Operations = new Map()): Promise<MuxStream> {
  const [mine, theirs] = await streamPair(sessions.client, sessions.server)
  mine.on('error', () => {})
  serveControlStream(sessions.server.session, theirs, operations)
  return mine
}

describe('the control stream', () => {
  test('answers an operation it does not know with an error, and goes on', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const mine = await served(sessions)
    const next = reader(mine)
    for (const op of ['health', 17, null]) {
      mine.write(encodeMessage({ op }))
      const [reply] = await next(1)
      assert.deepEqual([reply?.['ok'], reply?.['code']], [false, 'tunnel_protocol_error'])
      assert.match(String(reply?.['message']), /^unknown operation/)
    }
  })

  test('answers what it knows, in order, wherever the bytes are cut', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const operations: Operations = new Map([['echo', ({ value }) => ({ ok: true, value })]])
    const mine = await served(sessions, operations)
    const next = reader(mine)
    const bytes = Buffer.concat([1, 2, 3].map((value) => encodeMessage({ op: 'echo', value })))
    for (let at = 0; at < bytes.length; at += 1) mine.write(bytes.subarray(at, at + 1))
    assert.deepEqual(
      await next(3),
      [1, 2, 3].map((value) => ({ ok: true, value })),
    )
  })

  test('an operation that fails is answered with its error', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const operations: Operations = new Map([
      [
        'fail',
        () => {
          throw new HawserError('not_found', 'no such thing')
        },
      ],
      [
        'crash',
        () => {
          throw new TypeError('a bug')
        },
      ],
    ])
    const mine = await served(sessions, operations)
    const next = reader(mine)
    mine.write(encodeMessage({ op: 'fail' }))
    mine.write(encodeMessage({ op: 'crash' }))
    assert.deepEqual(
      (await next(2)).map(({ code }) => code),
      ['not_found', 'proxy_internal_error'],
    )
  })

  test('two sides that do not understand each other do not talk for ever', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const [mine, theirs] = await streamPair(sessions.client, sessions.server)
    let messages = 0
    for (const stream of [mine, theirs]) stream.on('data', () => (messages += 1))
    serveControlStream(sessions.client.session, mine, new Map())
    serveControlStream(sessions.server.session, theirs, new Map())
    mine.write(encodeMessage({ op: 'what' }))
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.equal(messages, 2)
  })

  test('its end ends the connection', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const mine = await served(sessions)
    mine.end()
    assert.equal((await sessions.server.session.closed)?.code, 'tunnel_protocol_error')
  })

  test('its reset ends the connection', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const mine = await served(sessions)
    mine.resetAndDestroy()
    assert.equal((await sessions.server.session.closed)?.code, 'connection_terminated')
  })

  test('what is no message ends the connection', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const mine = await served(sessions)
    mine.write('\0\u0003abc')
    assert.equal((await sessions.server.session.closed)?.code, 'tunnel_protocol_error')
  })

  test('a peer that asks and never reads is not listened to any more', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const [mine, theirs] = await streamPair(sessions.client, sessions.server)
    mine.on('error', () => {})
    serveControlStream(sessions.server.session, theirs, new Map())
    const request = encodeMessage({ op: 'x'.repeat(200) })
    const flood = Buffer.concat(Array.from({ length: 2_000 }, () => request))
    for (let count = 0; count < 20; count += 1) mine.write(flood)
    for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate)
    assert.equal(theirs.isPaused(), true)
    assert.ok(theirs.writableLength < 1_000_000, `${theirs.writableLength} bytes of answers held`)
    let answered = 0
    mine.on('data', (chunk: Buffer) => (answered += chunk.length))
    while (mine.writableLength > 0) await new Promise(setImmediate)
    assert.ok(answered > 0)
  })
})
