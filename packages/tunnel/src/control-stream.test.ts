import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { serveControlStream } from './control-stream.ts'
import type { Operations } from './control-stream.ts'
import { INITIAL_WINDOW_BYTES } from './frame.ts'
import { encodeMessage, MessageDecoder, parseMessage } from './messages.ts'
import type { Message } from './messages.ts'
import { sessionPair, streamPair } from './session-pair.ts'
import type { SessionPair, TestStream } from './session-pair.ts'

const TEST = { timeout: 10_000 } as const

/** Reads the messages that arrive on a stream. */
function reader(stream: TestStream): (count: number) => Promise<Message[]> {
  const decoder = new MessageDecoder()
  const messages: Message[] = []
  stream.on('data', (chunk: Buffer) => {
    for (let rest = chunk; rest.length > 0;) {
      rest = rest.subarray(decoder.push(rest))
      if (decoder.message !== undefined) messages.push(parseMessage(decoder.message))
    }
  })
  return async (count) => {
    while (messages.length < count) await once(stream, 'data')
    return messages.splice(0, count)
  }
}

async function served(sessions: SessionPair, operations: Operations = new Map()): Promise<TestStream> {
  const [mine, theirs] = await streamPair(sessions.client, sessions.server)
  mine.on('error', () => {})
  serveControlStream(sessions.server.session, theirs.mux, operations)
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
    serveControlStream(sessions.client.session, mine.mux, new Map())
    serveControlStream(sessions.server.session, theirs.mux, new Map())
    const question = encodeMessage({ op: 'what' })
    mine.mux.write(question)
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.equal(INITIAL_WINDOW_BYTES - mine.sendCredit, question.length)
    const answered = INITIAL_WINDOW_BYTES - theirs.sendCredit
    for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate)
    assert.ok(answered > 0)
    assert.equal(INITIAL_WINDOW_BYTES - theirs.sendCredit, answered)
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
    serveControlStream(sessions.server.session, theirs.mux, new Map())
    const request = encodeMessage({ op: 'x'.repeat(200) })
    const flood = Buffer.concat(Array.from({ length: 2_000 }, () => request))
    for (let count = 0; count < 20; count += 1) mine.write(flood)
    for (let turn = 0; turn < 300; turn += 1) await new Promise(setImmediate)
    assert.equal(theirs.sendCredit, 0)
    assert.ok(theirs.mux.unsentBytes < 1_000_000, `${theirs.mux.unsentBytes} bytes of answers held`)
    assert.ok(mine.writableLength > 0)
    let answered = 0
    mine.on('data', (chunk: Buffer) => (answered += chunk.length))
    while (mine.writableLength > 0) await new Promise(setImmediate)
    assert.ok(answered > 0)
  })
})

describe('what is announced', () => {
  test(
    'is one message at a time of each operation, and then the last of those that came meanwhile',
    TEST,
    async (t) => {
      assertNoLeaks(t)
      await using sessions = await sessionPair()
      const [mine, theirs] = await streamPair(sessions.client, sessions.server)
      mine.on('error', () => {})
      const refused: unknown[] = []
      const control = serveControlStream(sessions.server.session, theirs.mux, new Map(), (op, { code }) =>
        refused.push([op, code]),
      )
      const next = reader(mine)
      for (let value = 0; value < 1_000; value += 1) control.announce({ op: 'a', value })
      control.announce({ op: 'b', value: 0 })
      assert.deepEqual(await next(2), [
        { op: 'a', value: 0 },
        { op: 'b', value: 0 },
      ])
      mine.write(encodeMessage({ ok: true }))
      assert.deepEqual(await next(1), [{ op: 'a', value: 999 }])
      mine.write(encodeMessage({ ok: false, code: 'options_invalid', message: 'b' }))
      mine.write(encodeMessage({ ok: true }))
      mine.write(encodeMessage({ ok: true })) // nobody waits for it
      control.announce({ op: 'b', value: 1 })
      while (refused.length === 0) await new Promise(setImmediate)
      assert.deepEqual(refused, [['b', 'options_invalid']])
      assert.throws(() => control.announce({ op: 'c', value: 'x'.repeat(20_000) }), { code: 'tunnel_protocol_error' })
    },
  )
})
