import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { Flag, FrameType, INITIAL_WINDOW_BYTES } from './frame.ts'
import { readBytes, sessionPair, sessionWithRawPeer, streamPair } from './session-pair.ts'
import type { TestStream } from './session-pair.ts'
import type { MuxStream } from './stream.ts'

const TEST = { timeout: 20_000 } as const
const { Data, WindowUpdate } = FrameType
const { Syn, Ack, Fin, Rst } = Flag
const HALF = INITIAL_WINDOW_BYTES / 2
/** More than a stream takes before it asks for a pause. */
const MUCH = 150_000

/** Turns of the event loop: enough for frames to cross a pair in memory several times. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate)
}

/** Bytes of payload that the peer has got on a stream. */
function received(frames: readonly { type: number; streamId: number; payload: Buffer }[], id: number): number {
  return frames.reduce(
    (sum, { type, streamId, payload }) => sum + (type === Data && streamId === id ? payload.length : 0),
    0,
  )
}

describe('MuxStream: opening', () => {
  test('announces itself with a window update when nothing is sent with it', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    stream.on('error', () => {})
    const frame = await tested.peer.frame(({ streamId }) => streamId === stream.id)
    assert.deepEqual([frame.type, frame.flags, frame.length], [WindowUpdate, Syn, 0])
  })

  test('carries the SYN on its first data frame, once', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open(Buffer.from('one'))
    stream.on('error', () => {})
    stream.write('two')
    await tested.peer.frame(({ payload }) => payload.toString() === 'two')
    assert.deepEqual(
      tested.peer.frames.filter(({ streamId }) => streamId === 1).map(({ type, flags }) => [type, flags]),
      [
        [Data, Syn],
        [Data, 0],
      ],
    )
  })

  test('is acknowledged once, with or before the first reply', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(WindowUpdate, Syn, 1)
    const stream = await tested.accept()
    stream.write('reply')
    await tested.peer.frame(({ type }) => type === Data)
    assert.equal(tested.peer.frames.filter(({ flags, streamId }) => streamId === 1 && (flags & Ack) !== 0).length, 1)
  })

  test('a reset by the acceptor reaches the opener as an error', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open(Buffer.from('hello'))
    tested.peer.send(WindowUpdate, Rst, 1)
    const [error] = (await once(stream, 'error')) as [HawserError]
    assert.equal(error.code, 'connection_terminated')
    assert.equal(tested.session.outboundCount, 0)
  })
})

describe('MuxStream: credit', () => {
  test('sends no more than the peer allows, and goes on to the byte when it allows more', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const { peer } = tested
    const stream = tested.open()
    stream.on('error', () => {})
    let taken = false
    stream.write(Buffer.alloc(INITIAL_WINDOW_BYTES + MUCH), () => (taken = true))
    await settle()
    assert.equal(received(peer.frames, 1), INITIAL_WINDOW_BYTES)
    peer.send(WindowUpdate, Ack, 1, MUCH - 1)
    await settle()
    assert.equal(received(peer.frames, 1), INITIAL_WINDOW_BYTES + MUCH - 1)
    assert.equal(taken, false)
    peer.send(WindowUpdate, 0, 1, 1)
    await settle()
    assert.equal(received(peer.frames, 1), INITIAL_WINDOW_BYTES + MUCH)
    assert.equal(taken, true)
  })

  test('an end needs no credit', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    stream.on('error', () => {})
    stream.end(Buffer.alloc(INITIAL_WINDOW_BYTES))
    await tested.peer.frame(({ flags }) => (flags & Fin) !== 0)
    assert.equal(stream.sendCredit, 0)
  })

  test('no frame is larger than 64 KiB, so that others get their turn', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    stream.on('error', () => {})
    stream.write(Buffer.alloc(200_000))
    await settle()
    assert.deepEqual(
      tested.peer.frames.filter(({ type }) => type === Data).map(({ length }) => length),
      [65_536, 65_536, 65_536, 3_392],
    )
  })

  test('bytes that nobody reads earn the peer nothing', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(Data, Syn, 1, Buffer.alloc(INITIAL_WINDOW_BYTES))
    const stream = await tested.accept()
    await settle()
    assert.equal(stream.receiveCredit, 0)
    assert.equal(stream.bufferedBytes, INITIAL_WINDOW_BYTES)
    assert.equal(tested.peer.frames.filter(({ type, length }) => type === WindowUpdate && length > 0).length, 0)
  })

  test('credit comes back in steps of half a window as the bytes are read', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    const { peer } = tested
    for (let part = 0; part < 16; part += 1) peer.send(Data, part === 0 ? Syn : 0, 1, Buffer.alloc(16_384))
    const stream = await tested.accept()
    await settle()
    await readBytes(stream, HALF - 32_768)
    await settle()
    const grants = (): number[] =>
      peer.frames.filter(({ type, length }) => type === WindowUpdate && length > 0).map(({ length }) => length)
    assert.deepEqual(grants(), [])
    await readBytes(stream, 65_536)
    await settle()
    assert.equal(grants().length, 1)
    assert.ok((grants()[0] ?? 0) >= HALF)
    assert.equal(stream.receiveCredit, grants()[0])
  })

  test(
    'against a model: whatever is sent and read in whatever portions, all arrives and no credit is overrun',
    TEST,
    async (t) => {
      assertNoLeaks(t)
      const portions = fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(portions, portions, async (writes, reads) => {
          await using sessions = await sessionPair()
          sessions.server.session.pool.growthLeft = 0
          const [writer, reader] = await streamPair(sessions.client, sessions.server)
          writer.on('error', () => {}) // of a run that has failed already
          const total = writes.reduce((sum, bytes) => sum + bytes, 0)
          for (const bytes of writes) writer.write(Buffer.alloc(bytes))
          writer.end()
          let left = total
          for (const bytes of reads) {
            left -= await readBytes(reader, Math.min(bytes, left))
            assert.ok(reader.bufferedBytes + reader.receiveCredit <= INITIAL_WINDOW_BYTES)
          }
          let rest = 0
          for await (const chunk of reader) rest += (chunk as Buffer).length
          assert.equal(rest, left)
          reader.end()
          await finished(writer.resume())
        }),
        { numRuns: 60 },
      )
    },
  )
})

describe('MuxStream: ends', () => {
  test('what arrived before the end is read before it', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(Data, Syn | Fin, 1, Buffer.from('all of it'))
    const stream = await tested.accept()
    await settle()
    assert.equal(stream.remoteEnded, true)
    assert.equal(await text(stream), 'all of it')
    stream.destroy()
  })

  test('the end goes behind everything that was written', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    stream.on('error', () => {})
    stream.write('a')
    stream.write('b')
    stream.end('c')
    await tested.peer.frame(({ flags }) => (flags & Fin) !== 0)
    const frames = tested.peer.frames.filter(({ streamId }) => streamId === 1)
    assert.deepEqual(
      frames.map(({ flags, payload }) => [flags, payload.toString()]),
      [
        [Syn, ''],
        [0, 'a'],
        [0, 'b'],
        [0, 'c'],
        [Fin, ''],
      ],
    )
  })

  test('both ends free the stream on both sides, though its bytes are not read yet', TEST, async (t) => {
    assertNoLeaks(t)
    await using sessions = await sessionPair()
    const [opened, accepted] = await streamPair(sessions.client, sessions.server)
    opened.end('unread')
    accepted.end('also unread')
    await settle()
    assert.equal(sessions.client.session.streamCount, 0)
    assert.equal(sessions.server.session.streamCount, 0)
    sessions.client.session.end()
    await sessions.client.session.closed
    assert.equal(await text(opened), 'also unread')
    assert.equal(await text(accepted), 'unread')
  })

  test('destroying before both ends resets; after both ends it says nothing', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    const { peer } = tested
    peer.send(Data, Syn | Fin, 1, Buffer.from('x'))
    const half = await tested.accept()
    half.destroy()
    await peer.frame(({ streamId, flags }) => streamId === 1 && (flags & Rst) !== 0)
    peer.send(Data, Syn | Fin, 3, Buffer.from('x'))
    const whole = await tested.accept()
    whole.end()
    await peer.frame(({ streamId, flags }) => streamId === 3 && (flags & Fin) !== 0)
    whole.destroy()
    await settle()
    assert.equal(peer.frames.filter(({ streamId, flags }) => streamId === 3 && (flags & Rst) !== 0).length, 0)
  })

  test('what came before a reset is read first, by whatever way it is read', TEST, async (t) => {
    assertNoLeaks(t)
    const sent = Buffer.alloc(100_000, 'before the reset ')
    const readers: Record<string, (stream: TestStream, into: Buffer[]) => Promise<unknown>> = {
      flowing: (stream, into) => finished(stream.on('data', (chunk: Buffer) => into.push(chunk))),
      iterated: async (stream, into) => {
        for await (const chunk of stream as AsyncIterable<Buffer>) into.push(chunk)
      },
      readable: (stream, into) =>
        finished(
          stream.on('readable', () => {
            for (let chunk = stream.read(7_000); chunk !== null; chunk = stream.read()) into.push(chunk)
          }),
        ),
    }
    for (const [way, read] of Object.entries(readers)) {
      await using tested = sessionWithRawPeer('client')
      const stream = tested.open(Buffer.from('hello'))
      tested.peer.send(Data, Ack, 1, sent)
      tested.peer.send(WindowUpdate, Rst, 1)
      await settle()
      assert.equal(tested.session.outboundCount, 0)
      assert.equal(stream.destroyed, false, way)
      const chunks: Buffer[] = []
      await assert.rejects(read(stream, chunks), { code: 'connection_terminated' }, way)
      assert.ok(Buffer.concat(chunks).equals(sent), way)
      assert.equal(tested.peer.frames.filter(({ flags }) => (flags & Rst) !== 0).length, 0)
    }
  })

  test('writing or ending behind a reset fails at once, read or not', TEST, async (t) => {
    assertNoLeaks(t)
    for (const act of [(stream: TestStream) => stream.write('more'), (stream: TestStream) => stream.end()]) {
      await using tested = sessionWithRawPeer('client')
      const stream = tested.open(Buffer.from('hello'))
      tested.peer.send(Data, Ack, 1, Buffer.from('unread'))
      tested.peer.send(WindowUpdate, Rst, 1)
      await settle()
      const failed = once(stream, 'error')
      act(stream)
      assert.ok(HawserError.is((await failed)[0], 'connection_terminated'))
    }
  })

  test('a reset fails a write that waits for credit, and an accepted stream, at once', TEST, async (t) => {
    assertNoLeaks(t)
    await using opened = sessionWithRawPeer('client')
    const stream = opened.open()
    const written = Promise.withResolvers<unknown>()
    stream.on('error', () => {})
    stream.write(Buffer.alloc(INITIAL_WINDOW_BYTES + MUCH), (error) => written.resolve(error))
    opened.peer.send(Data, Ack, 1, Buffer.from('unread'))
    opened.peer.send(WindowUpdate, Rst, 1)
    assert.ok(HawserError.is(await written.promise, 'connection_terminated'))
    await using accepting = sessionWithRawPeer()
    accepting.peer.send(Data, Syn, 1, Buffer.from('unread'))
    const accepted = await accepting.accept()
    const failed = once(accepted, 'error')
    accepting.peer.send(WindowUpdate, Rst, 1)
    assert.ok(HawserError.is((await failed)[0], 'connection_terminated'))
  })

  test('a reset is not answered with a reset', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer()
    tested.peer.send(WindowUpdate, Syn, 1)
    const stream = await tested.accept()
    const closed = new Promise((resolve) => stream.once('close', resolve))
    tested.peer.send(WindowUpdate, Rst, 1)
    await closed
    await settle()
    assert.equal(tested.peer.frames.filter(({ flags }) => (flags & Rst) !== 0).length, 0)
  })

  test('a write that was waiting when the stream was destroyed fails', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    const outcome = Promise.withResolvers<unknown>()
    stream.write(Buffer.alloc(INITIAL_WINDOW_BYTES * 2), (error) => outcome.resolve(error))
    stream.resetAndDestroy()
    assert.ok(HawserError.is(await outcome.promise, 'connection_aborted'))
    await settle()
    assert.equal(received(tested.peer.frames, 1), INITIAL_WINDOW_BYTES)
  })

  test('destroySoon sends everything and ends before it destroys', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open()
    stream.write('last words')
    stream.destroySoon()
    await once(stream, 'close')
    await tested.peer.frame(({ flags }) => (flags & Rst) !== 0)
    assert.deepEqual(
      tested.peer.frames.filter(({ streamId }) => streamId === 1).map(({ flags, length }) => [flags, length]),
      [
        [Syn, 0],
        [0, 10],
        [Fin, 0],
        [Rst, 0],
      ],
    )
    stream.destroySoon()
  })

  test('an empty write is taken and sends nothing', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.open(Buffer.from('x'))
    stream.on('error', () => {})
    await new Promise((resolve) => stream.write(Buffer.alloc(0), resolve))
    await settle()
    assert.equal(tested.peer.frames.filter(({ streamId }) => streamId === 1).length, 1)
  })
})

describe('MuxStream: its sinks', () => {
  interface Seen {
    bytes: string
    ended: boolean
    lost: Error | undefined
  }

  /** Notes what is delivered, and does `onData` with each piece. */
  function collect(stream: MuxStream, onData: (piece: Buffer) => void = () => {}): Seen {
    const seen: Seen = { bytes: '', ended: false, lost: undefined }
    stream.deliverTo({
      onData: (piece) => {
        seen.bytes += piece.toString()
        onData(piece)
      },
      onEnd: () => (seen.ended = true),
      onLost: (error) => (seen.lost = error),
      onDrain: () => {},
      onSent: () => {},
    })
    return seen
  }

  test('a sink may put back what is not for it, and the next one gets that first', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.session.open()
    const first = collect(stream, (piece) => {
      stream.pause()
      stream.unread(piece.subarray(3))
    })
    stream.resume()
    tested.peer.send(Data, Ack, 1, Buffer.from('abcdef'))
    tested.peer.send(Data, Fin, 1, Buffer.from('ghi'))
    await settle()
    assert.deepEqual(first, { bytes: 'abcdef', ended: false, lost: undefined })
    const second = collect(stream)
    stream.resume()
    assert.deepEqual(second, { bytes: 'defghi', ended: true, lost: undefined })
    stream.reset()
  })

  test('is told of a reset, of an end and of the end of the session', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const streams = [1, 2, 3].map(() => tested.session.open())
    const seen = streams.map((stream) => collect(stream))
    for (const stream of streams) stream.resume()
    tested.peer.send(WindowUpdate, Ack | Rst, 1)
    tested.peer.send(Data, Ack | Fin, 3)
    await settle()
    tested.session.end()
    await tested.session.closed
    assert.deepEqual(
      seen.map(({ ended, lost }) => [ended, HawserError.is(lost) ? lost.code : undefined]),
      [
        [false, 'connection_terminated'],
        [true, 'tunnel_closed'],
        [false, 'tunnel_closed'],
      ],
    )
    assert.ok(streams.every(({ lost }) => lost !== undefined))
  })

  test('nothing is delivered while it pauses, though it pauses and resumes with every piece', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.session.open()
    let inside = false
    const seen = collect(stream, () => {
      assert.equal(inside, false)
      inside = true
      stream.pause()
      stream.resume()
      stream.pause()
      inside = false
    })
    for (const piece of ['a', 'b', 'c']) tested.peer.send(Data, 0, 1, Buffer.alloc(8_000, piece))
    tested.peer.send(Data, Fin, 1)
    await settle()
    assert.equal(seen.bytes, '')
    for (const pieces of [1, 2, 3]) {
      stream.resume()
      assert.deepEqual([seen.bytes.length, seen.bytes.at(-1), seen.ended], [pieces * 8_000, ' abc'[pieces], false])
    }
    stream.resume()
    stream.resume()
    assert.equal(seen.ended, true)
    stream.reset()
  })

  test('a reset by its owner is silent here, and ends what it still had to send', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.session.open()
    const seen = collect(stream)
    assert.equal(stream.write(Buffer.alloc(INITIAL_WINDOW_BYTES * 2)), false)
    stream.end()
    stream.reset()
    stream.reset()
    assert.equal(stream.write(Buffer.from('late')), true)
    stream.end()
    await tested.peer.frame(({ flags }) => (flags & Rst) !== 0)
    assert.deepEqual(seen, { bytes: '', ended: false, lost: undefined })
    assert.equal(received(tested.peer.frames, 1), INITIAL_WINDOW_BYTES)
    assert.equal(stream.unsentBytes, 0)
    assert.equal(tested.session.streamCount, 0)
  })

  test('bytes that have been delivered earn credit', TEST, async (t) => {
    assertNoLeaks(t)
    await using tested = sessionWithRawPeer('client')
    const stream = tested.session.open()
    const seen = collect(stream)
    stream.resume()
    tested.peer.send(Data, Ack, 1, Buffer.alloc(HALF, 'x'))
    const grant = await tested.peer.frame(({ type, length }) => type === WindowUpdate && length > 0)
    assert.equal(grant.length, HALF)
    assert.equal(seen.bytes.length, HALF)
    stream.reset()
  })
})
