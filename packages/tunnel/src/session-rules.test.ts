import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import type { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { Flag, FrameType, GoAwayCode, INITIAL_WINDOW_BYTES } from './frame.ts'
import { frameBytes } from './raw-peer.ts'
import { sessionPair, sessionWithRawPeer } from './session-pair.ts'

const TEST = { timeout: 20_000 } as const
const { Data, WindowUpdate, Ping, GoAway } = FrameType
const { Syn, Ack, Fin, Rst } = Flag

/** Byte sequences that no peer following the specification sends, and the code the session ends with. */
const VIOLATIONS: readonly (readonly [name: string, bytes: readonly Buffer[], code: string])[] = [
  ['another version', [Buffer.from('01' + '00'.repeat(11), 'hex')], 'tunnel_protocol_error'],
  ['an unknown frame type', [Buffer.from('0009' + '00'.repeat(10), 'hex')], 'tunnel_protocol_error'],
  ['an HTTP request', [Buffer.from('GET / HTTP/1.1\r\nHost: edge\r\n\r\n')], 'tunnel_protocol_error'],
  ['a stream frame for stream 0', [frameBytes(Data, Syn, 0)], 'tunnel_protocol_error'],
  ['a stream opened with an id of ours', [frameBytes(WindowUpdate, Syn, 2)], 'tunnel_protocol_error'],
  ['an id opened twice', [frameBytes(WindowUpdate, Syn, 1), frameBytes(WindowUpdate, Syn, 1)], 'tunnel_protocol_error'],
  ['a second end', [frameBytes(WindowUpdate, Syn | Fin, 1), frameBytes(Data, Fin, 1)], 'tunnel_protocol_error'],
  [
    'data after the end',
    [frameBytes(WindowUpdate, Syn | Fin, 1), frameBytes(Data, 0, 1, Buffer.from('x'))],
    'tunnel_protocol_error',
  ],
  [
    'credit beyond 32 bits',
    [frameBytes(WindowUpdate, Syn, 1, 0xffff_ffff), frameBytes(WindowUpdate, 0, 1, 0xffff_ffff)],
    'tunnel_protocol_error',
  ],
  [
    'a byte more than the credit, in one frame',
    [frameBytes(Data, Syn, 1, Buffer.alloc(INITIAL_WINDOW_BYTES + 1))],
    'tunnel_window_exceeded',
  ],
  [
    'a byte more than the credit, in a second frame',
    [frameBytes(Data, Syn, 1, Buffer.alloc(INITIAL_WINDOW_BYTES)), frameBytes(Data, 0, 1, Buffer.from('x'))],
    'tunnel_window_exceeded',
  ],
  ['a length beyond the credit, before any payload', [frameBytes(Data, Syn, 1, 0xffff_ffff)], 'tunnel_window_exceeded'],
]

describe('MuxSession and a peer that breaks the rules', () => {
  for (const [name, bytes, code] of VIOLATIONS) {
    for (const split of [false, true]) {
      test(`${name}${split ? ', byte by byte' : ''}: go-away, and all streams fail with ${code}`, TEST, async (t) => {
        assertNoLeaks(t)
        await using tested = sessionWithRawPeer()
        const { session, peer } = tested
        const bystander = tested.open()
        const failed = once(bystander, 'error')
        for (const part of bytes) {
          if (!split) peer.sendBytes(part)
          else for (let at = 0; at < Math.min(part.length, 40); at += 1) peer.sendBytes(part.subarray(at, at + 1))
          if (split && part.length > 40) peer.sendBytes(part.subarray(40))
        }
        const [error] = (await failed) as [HawserError]
        assert.equal(error.code, code)
        assert.equal((await peer.goAway()).length, GoAwayCode.ProtocolError)
        assert.equal((await session.closed)?.code, code)
        assert.equal(session.streamCount, 0)
      })
    }
  }

  test('random bytes never do more than end the session', TEST, async (t) => {
    assertNoLeaks(t)
    const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(byte, { maxLength: 60 }), { maxLength: 8 }), async (chunks) => {
        await using tested = sessionWithRawPeer()
        tested.open().on('error', () => {})
        for (const chunk of chunks) tested.peer.sendBytes(Buffer.from(chunk))
        tested.peer.end()
        await tested.session.closed
        assert.equal(tested.session.streamCount, 0)
      }),
      { numRuns: 150 },
    )
  })
})

describe('MuxSession and what the specification leaves room for', () => {
  test('frames for a stream that is gone, or never was, are dropped and their payload skipped', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    const { session, peer, accept } = tested
    peer.send(Data, Syn, 1, Buffer.from('one'))
    const gone = await accept()
    gone.resetAndDestroy()
    await peer.frame(({ streamId, flags }) => streamId === 1 && (flags & Rst) !== 0)
    peer.send(Data, 0, 1, Buffer.alloc(500_000)) // far more than the credit it had
    peer.send(Data, Fin, 1)
    peer.send(WindowUpdate, 0, 1, 100)
    peer.send(WindowUpdate, Rst, 1)
    peer.send(Data, 0, 77, Buffer.from('nobody'))
    peer.send(Data, Syn, 3, Buffer.from('still fine'))
    peer.send(Data, Fin, 3)
    const next = await accept()
    assert.equal(await text(next), 'still fine')
    assert.equal(session.streamCount, 1)
    next.destroy()
  })

  test('an id may come back once its stream has ended', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    const { peer, accept } = tested
    for (let round = 0; round < 3; round += 1) {
      peer.send(Data, Syn | Fin, 1, Buffer.from(`round ${round}`))
      const stream = await accept()
      stream.end()
      assert.equal(await text(stream), `round ${round}`)
    }
  })

  test('ids need not come in order', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    for (const id of [5, 1, 3]) {
      tested.peer.send(WindowUpdate, Syn | Fin, id)
      const stream = await tested.accept()
      assert.equal(stream.id, id)
      stream.end()
      await text(stream)
    }
  })

  test('a ping is answered with its value, an answer to no ping is ignored', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(Ping, Ack, 0, 12_345)
    tested.peer.send(Ping, Syn, 0, 0xdeadbeef)
    const answer = await tested.peer.frame(({ type, flags }) => type === Ping && flags === Ack)
    assert.equal(answer.length, 0xdeadbeef)
    assert.equal(answer.streamId, 0)
  })

  test('the peer is pinged from the start, and again and again', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server', { keepaliveMs: 5, pingTimeoutMs: 1_000 })
    const { peer } = tested
    for (let id = 0; id < 3; id += 1) {
      await peer.frame(({ type, flags, length }) => type === Ping && flags === Syn && length === id)
      peer.send(Ping, Ack, 0, id)
    }
  })

  test('a peer that falls silent is dead: tunnel_timeout', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server', { keepaliveMs: 5, pingTimeoutMs: 20 })
    const stream = tested.open()
    const [error] = (await once(stream, 'error')) as [HawserError]
    assert.equal(error.code, 'tunnel_timeout')
    assert.equal((await tested.session.closed)?.code, 'tunnel_timeout')
  })

  for (const [code, kind] of [
    [GoAwayCode.ProtocolError, 'protocol error (1)'],
    [GoAwayCode.InternalError, 'internal error (2)'],
    [GoAwayCode.Disconnected, 'disconnected by an operator (3)'],
    [9, 'unknown reason (9)'],
  ] as const) {
    test(`a go-away for reason ${code} ends the session at once`, TEST, async (t) => {
      assertNoLeaks(t)
      await using tested = sessionWithRawPeer()
      const failed = once(tested.open(), 'error')
      tested.peer.send(GoAway, 0, 0, code)
      const [error] = (await failed) as [HawserError]
      assert.equal(error.code, 'tunnel_closed')
      assert.ok(error.message.endsWith(kind), error.message)
    })
  }

  test('a peer that goes away and closes has not failed', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(GoAway, 0, 0, GoAwayCode.Normal)
    tested.peer.end()
    assert.equal(await tested.session.closed, undefined)
  })

  test('a peer that just closes has', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.end()
    assert.equal((await tested.session.closed)?.code, 'tunnel_closed')
  })

  test('an abort tells the peer with an internal error', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    const { HawserError: Failure } = await import('@hawser/core')
    tested.session.abort(new Failure('proxy_internal_error', 'the disk is full'))
    assert.equal((await tested.peer.goAway()).length, GoAwayCode.InternalError)
    assert.equal((await tested.session.closed)?.code, 'proxy_internal_error')
  })

  test('a peer that never reads cannot keep the session from ending', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.stall()
    tested.open().on('error', () => {})
    tested.session.end()
    await tested.session.closed
  })

  test('pings that are not read pile up only so far', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.stall()
    const flood = Buffer.concat(Array.from({ length: 10_000 }, (_, id) => frameBytes(Ping, Syn, 0, id)))
    for (let count = 0; count < 20; count += 1) tested.peer.sendBytes(flood)
    const error = await tested.session.closed
    assert.equal(error?.code, 'tunnel_protocol_error')
  })
})

describe('MuxSession and its limits', () => {
  test('streams beyond the limit are reset, and there is room again when one has ended', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server', { maxInboundStreams: 2 })
    const { session, peer, accept } = tested
    for (const id of [1, 3, 5]) peer.send(WindowUpdate, Syn, id)
    await peer.frame(({ streamId, flags }) => streamId === 5 && (flags & Rst) !== 0)
    assert.equal(session.streamCount, 2)
    const first = await accept()
    first.destroy()
    peer.send(WindowUpdate, Syn, 7)
    await accept()
    assert.equal((await accept()).id, 7)
  })

  test('opening more streams than allowed throws tunnel_stream_limit', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair(undefined, { client: { maxOutboundStreams: 3 } })
    const { session } = sessions.client
    const streams = [session.open(), session.open(), session.open()]
    assert.throws(() => session.open(), { code: 'tunnel_stream_limit' })
    streams[1]?.reset()
    session.open()
    assert.throws(() => session.open(), { code: 'tunnel_stream_limit' })
  })

  test('so many streams may wait for the peer to take them, and no more', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client', { maxUnacknowledged: 2 })
    const { session, peer } = tested
    const [first, second] = [session.open(), session.open()]
    assert.throws(() => session.open(), { code: 'tunnel_stream_limit' })
    peer.send(WindowUpdate, Ack, first.id)
    peer.send(Ping, Syn, 0, 4)
    await peer.frame(({ type, flags }) => type === Ping && flags === Ack)
    session.open()
    assert.throws(() => session.open(), { code: 'tunnel_stream_limit' })
    second.reset() // never acknowledged, and gone
    session.open()
  })

  test('a session without a handler for streams resets all', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('server', { onStream: undefined })
    tested.peer.send(Data, Syn, 1, Buffer.from('hello?'))
    await tested.peer.frame(({ streamId, flags }) => streamId === 1 && flags === Rst)
    assert.equal(tested.session.streamCount, 0)
  })

  test('a session that has used its last id opens nothing more', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair(undefined, { client: { firstId: 0xffff_fffd } })
    const { client, server } = sessions
    for (const id of [0xffff_fffd, 0xffff_ffff]) {
      const stream = client.open()
      stream.end()
      assert.equal(stream.id, id)
      const accepted = await server.accept()
      accepted.end()
      assert.equal(await text(accepted), '')
      await text(stream)
    }
    assert.equal(client.session.acceptsStreams, false)
    assert.throws(() => client.open(), { code: 'tunnel_closed' })
  })
})
