import assert from 'node:assert/strict'
import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import type { Dialed, DialTarget, StopSignal } from '@hawser/core'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import { Flag, FrameType } from './frame.ts'
import { encodeDialRequest } from './dial-messages.ts'
import { encodeMessage } from './messages.ts'
import type { SeenFrame } from './raw-peer.ts'
import { DialServer } from './serve-dials.ts'
import type { DialHandler } from './serve-dials.ts'
import { sessionPair, sessionWithRawPeer } from './session-pair.ts'
import { dialThrough } from './tunnel-dialer.ts'

const TEST = { timeout: 10_000 } as const
const target: DialTarget = { host: 'db.internal', port: 5432, flowId: 'f1', timeoutMs: 1_000 }
function abortOf(signal: StopSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

const request = encodeDialRequest(target)
const { Data } = FrameType
const { Syn, Fin, Rst } = Flag

function dialed(stream: Duplex): Dialed {
  return { stream, remoteAddress: '10.0.0.7:5432' }
}

/** Both ends of a tunnel in memory, and how the edge dials through it. */
async function tunnel(handler: DialHandler): Promise<
  AsyncDisposable & {
    readonly server: DialServer
    dial(signal?: AbortSignal): Promise<Dialed>
    readonly sessions: Awaited<ReturnType<typeof sessionPair>>
  }
> {
  const server = new DialServer(handler)
  const sessions = await sessionPair(undefined, { client: { onStream: (stream) => server.accept(stream) } })
  return {
    server,
    sessions,
    dial: (signal = new AbortController().signal) => dialThrough(sessions.server.session, 'c1', target, signal),
    [Symbol.asyncDispose]: () => sessions[Symbol.asyncDispose](),
  }
}

describe('a dial through a tunnel', () => {
  test('reaches the handler as it was asked, and joins the edge to the target', TEST, async (t) => {
    assertNoLeaks(t)
    const [near, far] = duplexPair()
    const seen: DialTarget[] = []
    await using tested = await tunnel((wanted) => {
      seen.push(wanted)
      return Promise.resolve(dialed(near))
    })
    const { stream, remoteAddress, connectorId } = await tested.dial()
    assert.deepEqual(seen, [target])
    assert.deepEqual([remoteAddress, connectorId], ['10.0.0.7:5432', 'c1'])
    assert.equal(tested.server.activeStreams, 1)
    stream.end('select 1')
    assert.equal(await text(far), 'select 1')
    far.end('1 row')
    assert.equal(await text(stream), '1 row')
    await tested.server.whenIdle()
    assert.equal(tested.server.activeStreams, 0)
  })

  for (const [code, message] of [
    ['connection_refused', 'connect ECONNREFUSED'],
    ['dns_error', 'no such name'],
    ['destination_ip_prohibited', 'not allowed'],
  ] as const) {
    test(`that fails with ${code} fails so at the edge`, TEST, async (t) => {
      assertNoLeaks(t)
      await using tested = await tunnel(() => Promise.reject(new HawserError(code, message)))
      await assert.rejects(tested.dial(), { code, message })
      await tested.server.whenIdle()
      assert.equal(tested.sessions.server.session.outboundCount, 0)
    })
  }

  test('whose handler crashes is an internal error, and the tunnel lives on', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await tunnel(() => {
      throw new TypeError('a bug')
    })
    await assert.rejects(tested.dial(), { code: 'proxy_internal_error' })
    await assert.rejects(tested.dial(), { code: 'proxy_internal_error' })
  })

  test('given up before it begins opens no stream', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await tunnel(() => assert.fail('dialled'))
    await assert.rejects(tested.dial(AbortSignal.abort()), { code: 'connection_aborted' })
    assert.equal(tested.sessions.server.session.outboundCount, 0)
  })

  test('given up half way aborts the handler, and what arrives later is released', TEST, async (t) => {
    assertNoLeaks(t)
    const [near, far] = await tcpPair()
    const farClosed = once(far, 'error')
    const asked = Promise.withResolvers<StopSignal>()
    const arrives = Promise.withResolvers<Dialed>()
    await using tested = await tunnel((_target, signal) => {
      asked.resolve(signal)
      return arrives.promise
    })
    const giveUp = new AbortController()
    const dialing = tested.dial(giveUp.signal)
    const signal = await asked.promise
    assert.equal(signal.aborted, false)
    const aborted = abortOf(signal)
    giveUp.abort()
    await assert.rejects(dialing, { code: 'connection_aborted' })
    await aborted
    assert.ok(HawserError.is(signal.reason, 'connection_aborted'))
    arrives.resolve(dialed(near))
    const [error] = (await farClosed) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNRESET')
    await tested.server.whenIdle()
  })

  test(
    'through a tunnel that breaks before the answer fails with the code of the tunnel, and aborts the handler',
    TEST,
    async (t) => {
      assertNoLeaks(t)
      const asked = Promise.withResolvers<StopSignal>()
      await using tested = await tunnel((_target, signal) => {
        asked.resolve(signal)
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      })
      const dialing = tested.dial()
      const signal = await asked.promise
      tested.sessions.client.session.abort(new HawserError('proxy_internal_error', 'crash'))
      await assert.rejects(dialing, { code: 'tunnel_closed' })
      if (!signal.aborted) await abortOf(signal)
      await tested.server.whenIdle()
    },
  )

  test('to a connector that is going away fails with tunnel_closed, so that another may be tried', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await tunnel(() => assert.fail('dialled'))
    tested.sessions.client.session.goAway()
    await assert.rejects(tested.dial(), { code: 'tunnel_closed' })
  })

  test('whose target resets is an error at the edge', TEST, async (t) => {
    assertNoLeaks(t)
    const [near, far] = await tcpPair()
    await using tested = await tunnel(() => Promise.resolve(dialed(near)))
    const { stream } = await tested.dial()
    const failed = once(stream, 'error')
    far.resetAndDestroy()
    const [error] = (await failed) as [HawserError]
    assert.equal(error.code, 'connection_terminated')
    await tested.server.whenIdle()
  })

  test('that the edge resets is a reset at the target', TEST, async (t) => {
    assertNoLeaks(t)
    const [near, far] = await tcpPair()
    await using tested = await tunnel(() => Promise.resolve(dialed(near)))
    const { stream } = await tested.dial()
    const failed = once(far, 'error')
    stream.destroy()
    const [error] = (await failed) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNRESET')
    await tested.server.whenIdle()
  })

  test('leaves room for many more at the same time', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = await tunnel(() => {
      const [near, far] = duplexPair()
      far.pipe(far)
      return Promise.resolve(dialed(near))
    })
    await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        const { stream } = await tested.dial()
        stream.end(`number ${index}`)
        assert.equal(await text(stream), `number ${index}`)
      }),
    )
    await tested.server.whenIdle()
  })
})

describe('DialServer and what comes on the wire', () => {
  function framesOf(frames: readonly SeenFrame[], id: number): string {
    return Buffer.concat(frames.filter(({ streamId }) => streamId === id).map(({ payload }) => payload)).toString()
  }

  function serve(handler: DialHandler): ReturnType<typeof sessionWithRawPeer> {
    const server = new DialServer(handler)
    return sessionWithRawPeer('client', { onStream: (stream) => server.accept(stream) })
  }

  test('bytes may follow the request at once, and their end too, wherever it is all cut', TEST, async (t) => {
    assertNoLeaks(t)
    const bytes = Buffer.concat([request, Buffer.from('early bytes')])
    for (let at = 0; at <= bytes.length; at += 7) {
      const [near, far] = duplexPair()
      await using tested = serve(() => Promise.resolve(dialed(near)))
      tested.peer.send(Data, Syn, 2, bytes.subarray(0, at))
      tested.peer.send(Data, Fin, 2, bytes.subarray(at))
      assert.equal(await text(far), 'early bytes')
      far.end('late bytes')
      await tested.peer.frame(({ streamId, flags }) => streamId === 2 && (flags & Fin) !== 0)
      assert.match(framesOf(tested.peer.frames, 2), /10\.0\.0\.7:5432late bytes$/)
    }
  })

  for (const [name, message, code] of [
    ['an operation it does not know', encodeMessage({ op: 'resolve', host: 'x' }), 'tunnel_protocol_error'],
    ['no operation', encodeMessage({}), 'tunnel_protocol_error'],
    ['a kind it does not know', Buffer.from([0, 1, 0x7f]), 'tunnel_protocol_error'],
    ['JSON that is none', Buffer.from([0, 1, 0x7b]), 'tunnel_protocol_error'],
    ['a request without a port', encodeDialRequest({ ...target, port: 0 }), 'tunnel_protocol_error'],
  ] as const) {
    test(`${name} is answered with ${code}, then the end`, TEST, async (t) => {
      assertNoLeaks(t)
      await using tested = serve(() => assert.fail('dialled'))
      tested.peer.send(Data, Syn, 2, Buffer.concat([message, Buffer.alloc(50_000)]))
      await tested.peer.frame(({ streamId, flags }) => streamId === 2 && (flags & Fin) !== 0)
      assert.match(framesOf(tested.peer.frames, 2), new RegExp(`"ok":false,"code":"${code}"`))
      tested.peer.send(Data, Fin, 2)
      await new Promise(setImmediate)
      while (tested.session.streamCount > 0) await new Promise(setImmediate)
    })
  }

  test('what is no message resets the stream', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = serve(() => assert.fail('dialled'))
    tested.peer.send(Data, Syn, 2, Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await tested.peer.frame(({ streamId, flags }) => streamId === 2 && (flags & Rst) !== 0)
    assert.equal(tested.session.streamCount, 0)
  })

  test('a stream that is opened and reset again leaves nothing behind', TEST, async (t) => {
    assertNoLeaks(t)
    const server = new DialServer(() => assert.fail('dialled'))
    await using tested = sessionWithRawPeer('client', { onStream: (stream) => server.accept(stream) })
    tested.peer.send(Data, Syn, 2, request.subarray(0, 5))
    tested.peer.send(FrameType.WindowUpdate, Rst, 2)
    tested.peer.send(FrameType.Ping, Syn, 0, 1)
    await tested.peer.frame(({ type, flags }) => type === FrameType.Ping && flags === Flag.Ack)
    await server.whenIdle()
    assert.equal(server.activeStreams, 0)
  })
})
