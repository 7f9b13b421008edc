import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { formatAuthority, HawserError } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import fc from 'fast-check'
import { TestSite } from '../test-site.ts'
import { IntruderLog } from './intruder-log.ts'

const TIMEOUT = { timeout: 20_000 }

/** Sends `bytes` and gives what came back until the edge closed the connection. */
async function send(site: TestSite, door: 'unix' | 'tcp', bytes: Buffer | string, end = false): Promise<string> {
  const socket = await site.knock(door)
  const closed = until(socket)
  if (end) socket.end(bytes)
  else socket.write(bytes)
  return closed
}

function until(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let seen = ''
    socket.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')))
    socket.once('end', () => socket.destroy())
    socket.once('close', () => resolve(seen))
  })
}

const authority = (capability: string): string =>
  formatAuthority({ host: 'db', port: 1, operation: 'c', id: 'a', capability }) ?? ''

const cases: readonly [name: string, door: 'unix' | 'tcp', bytes: string, answer: RegExp][] = [
  ['garbage', 'tcp', 'hello there\r\n\r\n', /^HTTP\/1.1 400/],
  ['garbage', 'unix', 'hello there\r\n\r\n', /^HTTP\/1.1 400/],
  ['a TLS hello', 'tcp', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', /^HTTP\/1.1 400/],
  ['HTTP/2', 'unix', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1.1 400/],
  ['a header too long', 'tcp', `CONNECT ${'a'.repeat(5_000)}:1 HTTP/1.1\r\n\r\n`, /^HTTP\/1.1 400/],
  ['a header too long', 'unix', `GET http://a/ HTTP/1.1\r\nX: ${'a'.repeat(140_000)}\r\n\r\n`, /^HTTP\/1.1 400/],
  ['a request on the CONNECT listener', 'tcp', 'GET http://db.internal/ HTTP/1.1\r\n\r\n', /^HTTP\/1.1 405/],
  ['a CONNECT without capability', 'tcp', 'CONNECT db.internal:5432 HTTP/1.1\r\n\r\n', /^HTTP\/1.1 403/],
  ['an unknown capability', 'tcp', `CONNECT ${authority('0'.repeat(32))} HTTP/1.1\r\n\r\n`, /^HTTP\/1.1 403/],
  ['origin form', 'unix', 'GET /path HTTP/1.1\r\nHost: a\r\n\r\n', /^HTTP\/1.1 400/],
  ['another scheme', 'unix', 'GET ftp://a/ HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400/],
  ['user information', 'unix', 'GET http://u:p@a/ HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400/],
  ['a port that is none', 'unix', 'GET http://a:99999/ HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400/],
  ['a CONNECT without a port', 'unix', 'CONNECT db.internal HTTP/1.1\r\n\r\n', /^HTTP\/1.1 400/],
  [
    'two lengths',
    'unix',
    'POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    /^HTTP\/1.1 400/,
  ],
]
for (const [name, door, bytes, answer] of cases) {
  test(`${door} door: ${name} is refused, logged once, and no flow comes of it`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    await using site = await TestSite.open()
    assert.match(await send(site, door, bytes), answer)
    assert.equal(site.log.at('warn').length, 1)
    assert.deepEqual(site.flows, [])
    assert.equal(site.network.dialed.length, 0)
  })
}

test('doors: a connection that ends in the middle of a header is refused', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  for (const door of ['tcp', 'unix'] as const) await send(site, door, 'GET http://a', true)
  assert.equal(site.log.at('warn').length, 2)
})

test('doors: a capability is worth nothing once its binding is closed', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const other = await site.openBinding({ binding: 'OTHER' })
  const capability = other.capability.reveal()
  await other.close()
  assert.match(await send(site, 'tcp', `CONNECT ${authority(capability)} HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 403/)
  assert.ok(site.log.lines.every((line) => !JSON.stringify(line).includes(capability)))
})

test('doors: broken chunks in a request end the call and the connection', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve('a:80', (socket) => socket.resume())
  const socket = await site.knock('unix')
  socket.write('POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n')
  while (site.binding.open.size === 0) await new Promise(setImmediate)
  const closed = until(socket)
  socket.write('nonsense\r\n')
  await closed
  assert.equal((await site.flowsEnded(1)).length, 1)
  assert.equal(site.log.at('warn').length, 1)
})

test('doors: random bytes never get through and never hurt', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  for (const door of ['tcp', 'unix'] as const) {
    for (let time = 0; time < 20; time += 1) {
      await send(site, door, Buffer.concat([randomBytes(1 + ((time * 97) % 3_000)), Buffer.from('\r\n\r\n')]))
    }
  }
  assert.deepEqual(site.flows, [])
  assert.equal((await site.fetch('GET', 'http://flows.hawser/x')).status, 404)
})

test('doors: a header that never ends is cut off by the clock', TIMEOUT, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await using site = await TestSite.open()
  for (const door of ['tcp', 'unix'] as const) {
    const socket = await site.knock(door)
    const closed = until(socket)
    socket.write('GET ')
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    t.mock.timers.tick(30_000)
    assert.match(await closed, /^HTTP\/1.1 408/)
  }
})

test('intruder log: twenty lines in ten seconds, then how many more there were', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), (knocks) => {
      const log = new CapturedLog()
      let now = 0
      const intruders = new IntruderLog(log, () => now)
      const knock = (): void => intruders.refused('door', new HawserError('unauthorized', 'no'))
      for (let time = 0; time < knocks; time += 1) knock()
      assert.equal(log.lines.length, Math.min(20, knocks))
      now = 10_000
      knock()
      const suppressed = log.lines.filter((line) => line.message === 'refused more connections')
      assert.deepEqual(
        suppressed.map((line) => line.fields['count']),
        knocks > 20 ? [knocks - 20] : [],
      )
    }),
  )
})
