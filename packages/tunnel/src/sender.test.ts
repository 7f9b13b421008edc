import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, test } from 'node:test'
import { FrameDecoder } from './decoder.ts'
import { Flag, FrameType, GoAwayCode } from './frame.ts'
import { FrameSender } from './sender.ts'

/** A transport that counts its writes and finishes them when told. */
class SlowTransport extends Writable {
  /** One entry a write: the buffers it was made of. */
  readonly writes: Buffer[][] = []
  #done: (() => void) | undefined
  readonly #hold: boolean

  constructor(hold = false) {
    super({ highWaterMark: 1 })
    this.#hold = hold
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#take([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  #take(buffers: Buffer[], done: () => void): void {
    this.writes.push(buffers)
    if (this.#hold) this.#done = done
    else done()
  }

  /** The transport has taken the write under way, and takes the next. */
  finish(): void {
    const done = this.#done
    this.#done = undefined
    done?.()
  }

  /** Frames of all writes, as `type flags id length`. */
  get frames(): string[] {
    const frames: string[] = []
    const decoder = new FrameDecoder({
      onFrame: (type, flags, id, length) => frames.push(`${type} ${flags} ${id} ${length}`),
      onPayload: () => {},
      onGarbage: (reason) => frames.push(reason),
    })
    for (const buffer of this.writes.flat()) decoder.push(buffer)
    return frames
  }
}

function never(): void {
  assert.fail('the peer was taken for deaf')
}

/** Turns of the event loop, enough for a batch that nothing adds to. */
async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate)
}

describe('FrameSender', () => {
  test('the frames of one turn leave in one write and in order', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    sender.data(Flag.Syn, 2, Buffer.from('hello'))
    sender.control(FrameType.WindowUpdate, Flag.Ack, 1, 5)
    sender.ping(9, false)
    sender.ping(9, true)
    sender.goAway(GoAwayCode.Normal)
    assert.equal(transport.writes.length, 0)
    await turns()
    assert.equal(transport.writes.length, 1)
    assert.deepEqual(transport.frames, ['0 1 2 5', '1 2 1 5', '2 1 0 9', '2 2 0 9', '3 0 0 0'])
  })

  test('small payload is joined to its header, large payload is passed on by reference', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    const small = Buffer.alloc(1_024, 1)
    const large = Buffer.alloc(1_025, 2)
    sender.data(0, 1, small)
    sender.data(0, 1, large)
    sender.data(0, 1, small)
    await turns()
    const [buffers = []] = transport.writes
    assert.deepEqual(
      buffers.map(({ length }) => length),
      [12 + 1_024 + 12, 1_025, 12 + 1_024],
    )
    assert.equal(buffers[1], large)
  })

  test('bytes that are queued are never overwritten by later frames', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    for (let round = 0; round < 40; round += 1) {
      for (let index = 0; index < 50; index += 1)
        sender.data(0, round * 50 + index + 1, Buffer.alloc(index * 10, index))
      await turns(1)
    }
    await turns(20)
    assert.deepEqual(
      transport.frames,
      Array.from({ length: 2_000 }, (_, index) => `0 0 ${index + 1} ${(index % 50) * 10}`),
    )
    assert.equal(
      sender.bytesSent,
      transport.writes.flat().reduce((sum, { length }) => sum + length, 0),
    )
  })

  test('on a quiet connection a frame leaves at the end of its turn', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    for (let turn = 1; turn < 10; turn += 1) {
      sender.data(0, 1, Buffer.from('x'))
      await turns(1)
      assert.equal(transport.writes.length, turn)
    }
  })

  test('while turns add frames on a busy one they are gathered, but never for long', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    sender.ping(0, false)
    sender.ping(0, true)
    for (let turn = 2; turn < 5; turn += 1) {
      sender.ping(turn, false)
      await turns(1)
    }
    await turns()
    assert.equal(transport.writes.length, 1)
    for (let turn = 0; turn < 100; turn += 1) {
      sender.ping(turn, false)
      await turns(1)
    }
    await turns()
    assert.ok(transport.writes.length > 5, `${transport.writes.length} writes for 100 turns`)
    assert.equal(transport.frames.length, 105)
  })

  test('a batch that has enough leaves at the end of its turn', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    sender.data(0, 1, Buffer.alloc(16 * 1024))
    await turns(1)
    assert.equal(transport.writes.length, 1)
  })

  test('while a write is under way everything gathers for the next one', async () => {
    const transport = new SlowTransport(true)
    const sender = new FrameSender(transport, never)
    sender.ping(1, false)
    await turns()
    for (let id = 2; id < 50; id += 1) {
      sender.ping(id, false)
      await turns(1)
    }
    assert.equal(transport.writes.length, 1)
    transport.finish()
    await turns()
    assert.equal(transport.writes.length, 2)
    assert.equal(transport.frames.length, 49)
  })

  test('an acceptance waits for company', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    sender.acknowledge(2)
    await turns(20)
    assert.equal(transport.writes.length, 0)
    sender.data(0, 2, Buffer.from('reply'))
    await turns()
    assert.deepEqual(transport.frames, ['1 2 2 0', '0 0 2 5'])
  })

  test('has room until a batch is full, then serves those that wait in their order, one frame each', async () => {
    const transport = new SlowTransport(true)
    const sender = new FrameSender(transport, never)
    assert.equal(sender.hasRoom, true)
    sender.data(0, 1, Buffer.alloc(256 * 1024))
    assert.equal(sender.hasRoom, false)
    const served: string[] = []
    const waiter = (name: string, again: number): { onRoom: () => void } => {
      const self = {
        onRoom: () => {
          served.push(name)
          sender.data(0, 3, Buffer.alloc(64 * 1024))
          again -= 1
          if (again > 0) sender.waitForRoom(self)
        },
      }
      sender.waitForRoom(self)
      return self
    }
    waiter('greedy', 5)
    waiter('modest', 1)
    const forgotten = waiter('forgotten', 1)
    waiter('late', 1)
    sender.forget(forgotten)
    await turns()
    assert.deepEqual(served, [])
    transport.finish()
    await turns()
    assert.deepEqual(served, ['greedy', 'modest', 'late', 'greedy'])
    assert.equal(sender.hasRoom, false)
    transport.finish()
    await turns()
    assert.deepEqual(served.slice(4), ['greedy', 'greedy', 'greedy'])
    assert.equal(sender.hasRoom, true)
  })

  test('who comes later does not pass those who wait', async () => {
    const transport = new SlowTransport(true)
    const sender = new FrameSender(transport, never)
    sender.data(0, 1, Buffer.alloc(256 * 1024))
    sender.waitForRoom({ onRoom: () => {} })
    sender.waitForRoom({ onRoom: () => assert.equal(sender.hasRoom, true) })
    await turns()
    assert.equal(sender.hasRoom, false)
    transport.finish()
    await turns()
    assert.equal(sender.hasRoom, true)
  })

  test('a peer that provokes frames without reading any is found out, and costs no more memory', async () => {
    const transport = new SlowTransport(true)
    let deaf = 0
    const sender = new FrameSender(transport, () => (deaf += 1))
    sender.ping(0, true)
    await turns()
    for (let id = 0; id < 200_000; id += 1) sender.ping(id, true)
    assert.equal(deaf, 1)
    assert.equal(transport.writes.length, 1)
    sender.data(0, 1, Buffer.alloc(10))
    sender.acknowledge(3)
    transport.finish()
    await turns()
    assert.equal(transport.writes.length, 1)
  })

  test('end sends what is queued, ends the transport, and then sends nothing', async () => {
    const transport = new SlowTransport()
    const sender = new FrameSender(transport, never)
    sender.acknowledge(2)
    sender.goAway(GoAwayCode.Normal)
    sender.end()
    sender.end()
    sender.ping(1, false)
    await turns()
    assert.deepEqual(transport.frames, ['1 2 2 0', '3 0 0 0'])
    assert.equal(transport.writableFinished, true)
  })

  test('after a failed write nobody gets a turn', async () => {
    const transport = new Writable({ write: (_chunk, _encoding, done) => done(new Error('broken')) })
    const failed = Promise.withResolvers<unknown>()
    transport.on('error', failed.resolve)
    const sender = new FrameSender(transport, never)
    sender.data(0, 1, Buffer.alloc(256 * 1024))
    sender.waitForRoom({ onRoom: () => assert.fail('a turn on a broken transport') })
    await failed.promise
    await turns()
  })
})
