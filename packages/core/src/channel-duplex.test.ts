import assert from 'node:assert/strict'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { describe, test } from 'node:test'
import { ChannelDuplex } from './channel-duplex.ts'
import type { Channel, ChannelSink } from './channel.ts'
import { HawserError } from './errors.ts'

const TEST = { timeout: 10_000 } as const

/** A channel whose other end is the test. */
class FakeChannel implements Channel {
  lost: Error | undefined
  sink: ChannelSink | undefined
  readonly calls: string[] = []
  readonly sent: Buffer[] = []
  takes = true

  deliverTo(sink: ChannelSink): void {
    this.sink = sink
  }
  write(chunk: Buffer): boolean {
    this.sent.push(chunk)
    return this.takes
  }
  end(): void {
    this.calls.push('end')
  }
  pause(): void {
    this.calls.push('pause')
  }
  resume(): void {
    this.calls.push('resume')
  }
  reset(): void {
    this.calls.push('reset')
  }
}

function wrapped(): { channel: FakeChannel; sink: ChannelSink; stream: ChannelDuplex } {
  const channel = new FakeChannel()
  const stream = new ChannelDuplex(channel)
  assert.ok(channel.sink)
  return { channel, sink: channel.sink, stream }
}

describe('ChannelDuplex: reading', () => {
  test('asks for nothing before somebody reads, and for a pause when it has enough', TEST, async () => {
    const { channel, sink, stream } = wrapped()
    assert.deepEqual(channel.calls, [])
    stream.read(0)
    assert.deepEqual(channel.calls, ['resume'])
    sink.onData(Buffer.alloc(20_000, 'x'))
    assert.deepEqual(channel.calls, ['resume', 'pause'])
    assert.equal((stream.read() as Buffer).length, 20_000)
    assert.deepEqual(channel.calls, ['resume', 'pause', 'resume'])
    stream.destroy()
    await once(stream, 'close')
  })

  test('a small piece that waits does not keep alive the memory it came in', TEST, async () => {
    const { sink, stream } = wrapped()
    const memory = Buffer.alloc(64 * 1024)
    sink.onData(memory.subarray(0, 10))
    sink.onData(memory.subarray(10, 20))
    await new Promise(setImmediate)
    const pieces = [stream.read(10), stream.read(10)] as Buffer[]
    assert.equal(pieces[0]?.buffer, memory.buffer) // nobody waited: nothing was copied
    assert.notEqual(pieces[1]?.buffer, memory.buffer)
    stream.destroy()
    await once(stream, 'close')
  })

  test('what came before a failure is read before it', TEST, async () => {
    const { sink, stream } = wrapped()
    sink.onData(Buffer.from('last words'))
    sink.onLost(new HawserError('connection_terminated', 'reset'))
    assert.equal(stream.destroyed, false)
    let seen = ''
    stream.on('data', (chunk: Buffer) => (seen += chunk.toString()))
    await assert.rejects(finished(stream), { code: 'connection_terminated' })
    assert.equal(seen, 'last words')
  })

  test('a failure with nothing left to read, or before the stream was made, destroys it', TEST, async () => {
    const { channel, sink, stream } = wrapped()
    const failed = once(stream, 'error')
    sink.onLost(new Error('gone'))
    assert.match(String((await failed)[0]), /gone/)
    assert.deepEqual(channel.calls, ['reset'])
    const late = new FakeChannel()
    late.lost = new Error('long gone')
    assert.match(String((await once(new ChannelDuplex(late), 'error'))[0]), /long gone/)
  })
})

describe('ChannelDuplex: writing', () => {
  test('a write is done when the channel has room, at once or later', TEST, async () => {
    const { channel, sink, stream } = wrapped()
    await new Promise((resolve) => stream.write('now', resolve))
    channel.takes = false
    let done = false
    const written = new Promise((resolve) => stream.write('later', resolve)).then(() => (done = true))
    await new Promise(setImmediate)
    assert.equal(done, false)
    sink.onDrain()
    await written
    assert.equal(Buffer.concat(channel.sent).toString(), 'nowlater')
    stream.destroy()
    await once(stream, 'close')
  })

  test('a write that was waiting fails when the stream is destroyed', TEST, async () => {
    const { channel, stream } = wrapped()
    channel.takes = false
    const outcome = new Promise((resolve) => stream.write('x', resolve))
    stream.resetAndDestroy()
    assert.ok(HawserError.is(await outcome, 'connection_aborted'))
    assert.deepEqual(channel.calls, ['reset'])
  })

  test('a write or an end behind a failure fails at once, though there is something to read', TEST, async () => {
    for (const act of [(stream: ChannelDuplex) => stream.write('more'), (stream: ChannelDuplex) => stream.end()]) {
      const { sink, stream } = wrapped()
      sink.onData(Buffer.from('unread'))
      sink.onLost(new HawserError('connection_terminated', 'reset'))
      const failed = once(stream, 'error')
      act(stream)
      assert.ok(HawserError.is((await failed)[0], 'connection_terminated'))
    }
  })

  test('finishes when the end has been handed over, and closes after both ends', TEST, async () => {
    const { channel, sink, stream } = wrapped()
    stream.end('bye')
    await new Promise(setImmediate)
    assert.deepEqual([channel.calls, stream.writableFinished], [['end'], false])
    sink.onSent()
    await once(stream, 'finish')
    sink.onEnd()
    await finished(stream.resume())
    stream.destroySoon()
  })

  test('destroySoon ends before it destroys', TEST, async () => {
    const { channel, sink, stream } = wrapped()
    stream.destroySoon()
    assert.deepEqual(channel.calls, ['end'])
    sink.onSent()
    await once(stream, 'close')
    assert.deepEqual(channel.calls, ['end', 'reset'])
  })
})
