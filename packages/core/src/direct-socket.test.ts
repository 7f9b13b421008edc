import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import fc from 'fast-check'
import { ChannelDuplex } from './channel-duplex.ts'
import type { ChannelSink } from './channel.ts'
import type { DirectSocket } from './direct-socket.ts'
import { connectDirectly } from './race-connect.ts'
import { splice } from './splice.ts'

const TEST = { timeout: 20_000 } as const

/** A connection of loopback: the socket under test, and the far end. */
async function open(): Promise<{ near: DirectSocket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connectDirectly('127.0.0.1', (server.address() as AddressInfo).port)
  const [[far]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(near, 'connect')])
  server.close()
  return { near, far }
}

/** Keeps what is delivered. */
class Kept implements ChannelSink {
  readonly chunks: Buffer[] = []
  readonly ended = Promise.withResolvers<void>()
  readonly lost = Promise.withResolvers<Error>()
  onChunk: () => void = () => {}
  onData(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.onChunk()
  }
  onEnd(): void {
    this.ended.resolve()
  }
  onDrain(): void {}
  onSent(): void {}
  onLost(error: Error): void {
    this.lost.resolve(error)
  }
}

async function deliver(t: TestContext): Promise<{ near: DirectSocket; far: Socket; kept: Kept }> {
  assertNoLeaks(t)
  const { near, far } = await open()
  const kept = new Kept()
  near.channel.deliverTo(kept)
  return { near, far, kept }
}

test('what is delivered stays as it is, whatever other sockets read afterwards', TEST, async (t) => {
  const one = await deliver(t)
  const other = await open()
  const kept = new Kept()
  other.near.channel.deliverTo(kept)
  one.near.channel.resume()
  other.near.channel.resume()
  for (let turn = 0; turn < 20; turn += 1) {
    for (const [far, to, letter] of [[one.far, one.kept, 'a'] as const, [other.far, kept, 'b'] as const]) {
      const came = new Promise<void>((resolve) => (to.onChunk = resolve))
      far.write(letter.repeat(1 + turn * 700))
      await came
    }
  }
  for (const { far } of [one, other]) far.end()
  await Promise.all([one.kept.ended.promise, kept.ended.promise])
  assert.match(Buffer.concat(one.kept.chunks).toString(), /^a+$/)
  assert.match(Buffer.concat(kept.chunks).toString(), /^b+$/)
  for (const { near } of [one, other]) near.channel.end()
  for (const { far } of [one, other]) far.destroy()
})

test('any number of bytes arrives as it was sent, in pieces of any size, through two of them', TEST, async (t) => {
  assertNoLeaks(t)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 6 }), async (sizes) => {
      const [client, a] = await tcpPair()
      const { near, far } = await open()
      const moved = { forward: 0, backward: 0 }
      const done = splice(a, near.channel, moved)
      const pieces = sizes.map((size) => randomBytes(size))
      const [there, back] = [buffer(far), buffer(client)]
      for (const piece of pieces) {
        client.write(piece)
        far.write(piece)
      }
      client.end()
      far.end()
      const whole = Buffer.concat(pieces)
      assert.ok(whole.equals(await there))
      assert.ok(whole.equals(await back))
      await done
      assert.deepEqual(moved, { forward: whole.length, backward: whole.length })
    }),
    { numRuns: 15 },
  )
})

test('nothing is read before it is resumed, nor while it is paused', TEST, async (t) => {
  const { near, far, kept } = await deliver(t)
  const large = randomBytes(32 * 1024 * 1024)
  far.end(large)
  await new Promise(setImmediate)
  assert.equal(near.bytesRead, 0)
  kept.onChunk = () => near.channel.pause() // after each chunk, from within its delivery
  near.channel.resume()
  const read = (): number => kept.chunks.reduce((sum, { length }) => sum + length, 0)
  while (read() < large.length) {
    const came = new Promise<void>((resolve) => (kept.onChunk = () => (near.channel.pause(), resolve())))
    const before = kept.chunks.length
    near.channel.resume()
    await came
    await new Promise(setImmediate)
    assert.equal(kept.chunks.length, before + 1, 'one chunk for each time that it was resumed')
  }
  near.channel.resume()
  await kept.ended.promise
  assert.ok(Buffer.concat(kept.chunks).equals(large))
  near.channel.end()
})

test('an end of one direction leaves the other', TEST, async (t) => {
  const { near, far, kept } = await deliver(t)
  near.channel.resume()
  near.channel.write(Buffer.from('question'))
  near.channel.end()
  assert.equal(await text(far), 'question')
  far.end('answer')
  await kept.ended.promise
  assert.equal(Buffer.concat(kept.chunks).toString(), 'answer')
})

test('a reset is a loss, after the bytes before it', TEST, async (t) => {
  const { near, far, kept } = await deliver(t)
  near.channel.resume()
  const came = new Promise<void>((resolve) => (kept.onChunk = resolve))
  far.write('half of it')
  await came
  far.resetAndDestroy()
  assert.equal(((await kept.lost.promise) as NodeJS.ErrnoException).code, 'ECONNRESET')
  assert.equal(Buffer.concat(kept.chunks).toString(), 'half of it')
})

test('a reset on this side is one for the far end, and nothing is delivered any more', TEST, async (t) => {
  const { near, far, kept } = await deliver(t)
  near.channel.resume()
  far.write('never read')
  const failed = once(far, 'error')
  near.channel.reset()
  assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET')
  assert.equal(kept.chunks.length, 0)
})

test('as a Duplex it can be read too, and both ends are a clean end for its peer', TEST, async (t) => {
  assertNoLeaks(t)
  const { near, far } = await open()
  const stream = new ChannelDuplex(near.channel)
  stream.end('question')
  far.end('answer')
  assert.deepEqual(await Promise.all([text(stream), text(far)]), ['answer', 'question'])
})
