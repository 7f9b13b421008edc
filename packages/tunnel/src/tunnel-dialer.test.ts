import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import type { DialTarget } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { encodeDialed, parseDialRequest } from './dial-messages.ts'
import { Flag, FrameType } from './frame.ts'
import { frameBytes } from './raw-peer.ts'
import { sessionWithRawPeer } from './session-pair.ts'
import { dialThrough } from './tunnel-dialer.ts'

const TEST = { timeout: 10_000 } as const
const target: DialTarget = { host: '10.0.0.7', port: 6379, flowId: 'f2', timeoutMs: 500 }
const never = new AbortController().signal
const { Data, WindowUpdate } = FrameType

describe('dialThrough', () => {
  test('opens the stream and asks in one frame', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const dialing = dialThrough(tested.session, 'c', target, never)
    const frame = await tested.peer.frame(({ type }) => type === Data)
    assert.equal(frame.flags, Flag.Syn)
    assert.deepEqual(parseDialRequest(frame.payload.subarray(2)), {
      host: '10.0.0.7',
      port: 6379,
      flowId: 'f2',
      timeoutMs: 500,
    })
    tested.session.end()
    await assert.rejects(dialing, { code: 'tunnel_closed' })
  })

  test('hands the stream out with the bytes that came right behind the reply', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const dialing = dialThrough(tested.session, 'c', target, never)
    const reply = Buffer.concat([encodeDialed('10.0.0.7:6379'), Buffer.from('+PONG')])
    for (const byte of reply) tested.peer.send(Data, 0, 2, Buffer.from([byte]))
    const { stream, remoteAddress } = await dialing
    assert.equal(remoteAddress, '10.0.0.7:6379')
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    assert.equal(String(stream.read()), '+PONG')
    stream.destroy()
  })

  test('a reset right behind the reply harms nobody who is not listening yet', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const dialing = dialThrough(tested.session, 'c', target, never)
    tested.peer.sendBytes(
      Buffer.concat([
        frameBytes(Data, Flag.Ack, 2, encodeDialed('10.0.0.7:6379')),
        frameBytes(WindowUpdate, Flag.Rst, 2),
      ]),
    )
    const { stream } = await dialing
    assert.equal(stream.destroyed, true)
  })

  test('a reply that is none fails, and resets the stream', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const dialing = dialThrough(tested.session, 'c', target, never)
    tested.peer.send(Data, Flag.Ack, 2, Buffer.from('\0\u0002{}'))
    await assert.rejects(dialing, { code: 'tunnel_protocol_error' })
    await tested.peer.frame(({ streamId, flags }) => streamId === 2 && (flags & Flag.Rst) !== 0)
  })

  test('a stream that is reset or ended without a reply fails with tunnel_closed', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const dialing = [dialThrough(tested.session, 'c', target, never), dialThrough(tested.session, 'c', target, never)]
    tested.peer.send(WindowUpdate, Flag.Rst, 2)
    tested.peer.send(Data, Flag.Fin, 4)
    for (const each of dialing) await assert.rejects(each, { code: 'tunnel_closed' })
  })

  test('leaves no listener on the signal, whatever became of the call', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server')
    const { signal } = new AbortController()
    const dialing = [1, 2, 3].map(() => dialThrough(tested.session, 'c', target, signal))
    assert.equal(getEventListeners(signal, 'abort').length, 3)
    tested.peer.send(Data, Flag.Ack, 2, encodeDialed('10.0.0.7:6379'))
    tested.peer.send(WindowUpdate, Flag.Rst, 4)
    tested.peer.send(Data, Flag.Ack, 6, Buffer.from('\0\u0002{}'))
    await Promise.allSettled(dialing)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})
