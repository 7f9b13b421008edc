import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { readAnswer } from './read-answer.ts'
import type { Refusal } from './read-answer.ts'

const LIMIT = { timeout: 10_000 }
const WAIT = { signal: new AbortController().signal, timeoutMs: 5_000 }

/** What is made of `text`, written in pieces of these sizes, and what is left to read. */
async function answered(text: string, cuts: readonly number[] = []): Promise<{ refusal?: Refusal; rest: string }> {
  const [near, far] = duplexPair()
  const reading = readAnswer(near, WAIT)
  const data = Buffer.from(text)
  let at = 0
  for (const cut of cuts) {
    if (at < data.length) far.write(data.subarray(at, at + cut))
    at += cut
  }
  if (at < data.length) far.write(data.subarray(at))
  const refusal = await reading
  far.end()
  let rest = ''
  if (refusal === undefined) for await (const chunk of near) rest += String(chunk)
  near.destroy()
  far.destroy()
  return refusal === undefined ? { rest } : { refusal, rest }
}

test('a connection that stands keeps what came behind the answer, however it was cut', LIMIT, async (t) => {
  assertNoLeaks(t)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 })), async (cuts) => {
      assert.deepEqual(await answered('HTTP/1.1 200 OK\r\n\r\nfirst bytes', cuts), { rest: 'first bytes' })
    }),
  )
})

test('a refusal is told in the words of the edge', LIMIT, async (t) => {
  assertNoLeaks(t)
  const reason = JSON.stringify({ code: 'dns_error', message: 'nö', flow: 'f' })
  const head = `HTTP/1.1 502 Bad Gateway\r\nContent-Length: ${Buffer.byteLength(reason)}\r\n\r\n`
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 })), async (cuts) => {
      const { refusal } = await answered(head + reason, cuts)
      assert.deepEqual(refusal, { code: 'dns_error', message: 'nö' })
    }),
  )
})

for (const [what, text, says] of [
  ['no reason', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', /it answered 502 and does not say why/],
  ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n', /does not speak as an edge does/],
  ['a head without an end', 'x'.repeat(70_000), /does not speak as an edge does/],
  ['a reason that is too long', 'HTTP/1.1 502 No\r\nContent-Length: 999999\r\n\r\n', /does not speak as an edge does/],
] as const) {
  test(`${what} is a refusal too`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const { refusal } = await answered(text)
    assert.equal(refusal?.code, 'destination_unavailable')
    assert.match(refusal?.message ?? '', says)
  })
}

test('an edge that hangs up, does not answer, or is no longer wanted', LIMIT, async (t) => {
  assertNoLeaks(t)
  const given = new AbortController()
  const fail = async (wait: typeof WAIT, act: (far: NodeJS.WritableStream) => void): Promise<unknown> => {
    const [near, far] = duplexPair()
    const reading = readAnswer(near, wait)
    act(far)
    const error: unknown = await reading.catch((thrown: unknown) => thrown)
    near.destroy()
    far.destroy()
    return HawserError.is(error) ? error.code : error
  }
  assert.equal(await fail(WAIT, (far) => far.end('HTTP/1.1 ')), 'destination_unavailable')
  assert.equal(await fail({ ...WAIT, timeoutMs: 5 }, () => {}), 'connection_timeout')
  const abort = (): void => given.abort(new HawserError('connection_aborted', 'gone'))
  assert.equal(await fail({ ...WAIT, signal: given.signal }, abort), 'connection_aborted')
  assert.equal(await fail({ ...WAIT, signal: given.signal }, () => {}), 'connection_aborted')
})
