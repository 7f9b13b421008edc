import assert, { AssertionError } from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import test from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import fc from 'fast-check'
import { checkScript, playScript } from './script.ts'
import type { Script } from './service-handler.ts'

const LIMIT = { timeout: 20_000 }

/** The other end of a connection that plays a script, and what it has failed with. */
async function play(steps: Script): Promise<{ client: Socket; failures: Error[]; played: Promise<void> }> {
  const [client, server] = await tcpPair()
  client.on('error', () => {})
  server.on('error', () => {})
  const failures: Error[] = []
  const played = playScript(server, steps, (error) => failures.push(error))
  return { client, failures, played }
}

test('steps are taken in their order, and the end is answered with the end', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { client, failures, played } = await play([
    { reply: '220 ready\r\n' },
    { expect: 'EHLO me\r\n' },
    { reply: new Uint8Array([0x32, 0x35, 0x30, 0x0a]) },
  ])
  const received = buffer(client)
  client.end('EHLO me\r\n')
  assert.equal((await received).toString(), '220 ready\r\n250\n')
  await played
  assert.deepEqual(failures, [])
})

test('bytes may come in any pieces', LIMIT, async (t) => {
  assertNoLeaks(t)
  const text = 'PING\r\nSET a 1\r\nDONE'
  const steps: Script = [
    { expect: 'PING\r\n' },
    { expect: /SET \w+ \d+\r\n/ },
    { expect: Buffer.from('DONE') },
    { reply: 'ok' },
    { end: true },
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 5 }), async (cuts) => {
      const { client, failures, played } = await play(steps)
      const received = buffer(client)
      const places = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      for (const [at, from] of places.slice(0, -1).entries()) client.write(text.slice(from, places[at + 1]))
      assert.equal((await received).toString(), 'ok')
      client.end()
      await played
      assert.deepEqual(failures, [])
    }),
    { numRuns: 30 },
  )
})

test('a reset is one', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { client, failures } = await play([{ expect: 'x' }, { reset: true }])
  const failed = once(client, 'error')
  client.resume().write('x')
  const [error] = (await failed) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNRESET')
  assert.deepEqual(failures, [])
})

const FAILURES: readonly (readonly [string, Script, string, RegExp])[] = [
  ['other bytes', [{ expect: 'PING\r\n' }], 'PONG\r\n', /at step 1 of 1: expected "PING\\r\\n", got "PONG\\r\\n"$/],
  ['fewer bytes', [{ expect: 'PING' }], 'PI', /expected "PING", got "PI" and then the end of the connection$/],
  ['no bytes', [{ reply: 'hi' }, { expect: /A+/ }], '', /at step 2 of 2: expected \/A\+\/, got "" and then the end/],
  ['more bytes', [{ expect: 'A' }], 'AB', /after its last step: expected no more bytes, got "B"$/],
  ['bytes where a pattern does not begin', [{ expect: /b/ }], 'ab', /expected \/b\/, got "ab" and then the end/],
  ['long bytes, cut', [{ expect: 'A' }], 'B'.repeat(300), /got "B{200}"… \(300 bytes\)$/],
]

for (const [what, steps, sent, message] of FAILURES) {
  test(`a script fails over ${what}, says at which step, and resets the connection`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const { client, failures, played } = await play(steps)
    client.resume().end(sent)
    await played
    if (!client.closed) await new Promise((resolve) => client.once('close', resolve))
    assert.equal(failures.length, 1)
    assert.ok(failures[0] instanceof AssertionError)
    assert.match(failures[0].message, message)
  })
}

test('bytes after the last step fail a script that has been played', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { client, failures, played } = await play([{ expect: 'A' }, { reply: 'B' }])
  client.write('A')
  await once(client, 'data')
  await played
  assert.equal(failures.length, 0)
  client.resume().write('C')
  await new Promise((resolve) => client.once('close', resolve))
  assert.match(failures[0]?.message ?? '', /expected no more bytes, got "C"$/)
})

test('what is no step is refused', () => {
  checkScript([{ expect: 'a' }, { reply: 'b' }, { end: true }])
  for (const step of ['expect', undefined, 1, {}, { expect: 'a', reply: 'b' }, { send: 'a' }]) {
    assert.throws(
      () => checkScript([{ end: true }, step]),
      (error) => HawserError.is(error, 'options_invalid') && error.message.includes('step 2 must be { expect }'),
    )
  }
})
