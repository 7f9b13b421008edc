import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex, duplexPair } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { assertNoLeaks, tcpPair } from '@hawser/testkit'
import { resetStream } from './duplex-channel.ts'
import { splice } from './splice.ts'
import type { SpliceBytes } from './splice.ts'

const TEST = { timeout: 10_000 } as const

interface Spliced<T extends Duplex> {
  /** The outer ends: what the client and the origin hold. */
  readonly client: T
  readonly origin: T
  readonly moved: SpliceBytes
  readonly done: Promise<void>
}

function spliceMemory(signal?: AbortSignal): Spliced<Duplex> {
  const [client, a] = duplexPair()
  const [b, origin] = duplexPair()
  const moved = { forward: 0, backward: 0 }
  return { client, origin, moved, done: splice(a, b, moved, signal) }
}

async function spliceTcp(signal?: AbortSignal): Promise<Spliced<Socket> & { readonly inner: readonly Socket[] }> {
  const [[client, a], [b, origin]] = await Promise.all([tcpPair(), tcpPair()])
  const moved = { forward: 0, backward: 0 }
  return { client, origin, moved, done: splice(a, b, moved, signal), inner: [a, b] }
}

for (const [name, make] of [
  ['streams in memory', () => Promise.resolve(spliceMemory())],
  ['TCP sockets', () => spliceTcp()],
] as const) {
  describe(`splice: ${name}`, () => {
    test('an end from the client half-closes the origin, and the answer still arrives', TEST, async (t) => {
      assertNoLeaks(t)
      const { client, origin, moved, done } = await make()
      client.end('ping')
      assert.equal(await text(origin), 'ping') // resolves only once the origin has seen the end
      origin.end('pong!')
      assert.equal(await text(client), 'pong!')
      await done
      assert.deepEqual(moved, { forward: 4, backward: 5 })
    })

    test('an end from the origin half-closes the client, which may go on sending', TEST, async (t) => {
      assertNoLeaks(t)
      const { client, origin, moved, done } = await make()
      origin.end('banner')
      assert.equal(await text(client), 'banner')
      client.end('thanks')
      assert.equal(await text(origin), 'thanks')
      await done
      assert.deepEqual(moved, { forward: 6, backward: 6 })
    })

    test('megabytes both ways arrive whole', TEST, async (t) => {
      assertNoLeaks(t)
      const { client, origin, moved, done } = await make()
      const [up, down] = [randomBytes(3_000_000), randomBytes(2_000_000)]
      client.end(up)
      origin.end(down)
      const [atOrigin, atClient] = await Promise.all([buffer(origin), buffer(client)])
      await done
      assert.ok(atOrigin.equals(up))
      assert.ok(atClient.equals(down))
      assert.deepEqual(moved, { forward: up.length, backward: down.length })
    })

    test('a reader that does not read stops the writer opposite, and nothing piles up', TEST, async (t) => {
      assertNoLeaks(t)
      const { client, origin, moved, done } = await make()
      const bytes = randomBytes(64 * 1024)
      let written = 0
      const pump = async (): Promise<void> => {
        while (written < 64_000_000) {
          written += bytes.length
          if (!client.write(bytes)) await once(client, 'drain')
        }
      }
      const pumping = pump()
      let before = -1
      for (let calm = 0; calm < 50;) {
        before = moved.forward
        await new Promise(setImmediate)
        calm = moved.forward === before ? calm + 1 : 0
      }
      assert.ok(moved.forward < 32_000_000, `${moved.forward} bytes moved with nobody reading`)
      let read = 0
      origin.on('data', (chunk: Buffer) => (read += chunk.length))
      await pumping
      client.end()
      await once(origin, 'end')
      origin.end()
      client.resume()
      await done
      assert.equal(read, written)
      assert.equal(moved.forward, written)
    })
  })
}

describe('splice: failures', () => {
  test('a reset of the client resets the origin, and is thrown', TEST, async (t) => {
    assertNoLeaks(t)
    const { client, origin, done } = await spliceTcp()
    const failed = once(origin, 'error')
    client.resetAndDestroy()
    await assert.rejects(done, { code: 'ECONNRESET' })
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET')
  })

  test('a reset of the origin resets the client, also half way through an answer', TEST, async (t) => {
    assertNoLeaks(t)
    const { client, origin, done } = await spliceTcp()
    origin.write('half an ans')
    await once(client, 'data')
    const failed = once(client, 'error')
    origin.resetAndDestroy()
    await assert.rejects(done, { code: 'ECONNRESET' })
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET')
  })

  test('a reset after a half-close is no clean end', TEST, async (t) => {
    assertNoLeaks(t)
    const { client, origin, done } = await spliceTcp()
    client.end('request')
    assert.equal(await text(origin), 'request')
    const failed = once(client, 'error')
    origin.resetAndDestroy()
    await assert.rejects(done, { code: 'ECONNRESET' })
    await failed
  })

  test('an abort resets both ends and throws its reason', TEST, async (t) => {
    assertNoLeaks(t)
    const controller = new AbortController()
    const { client, origin, done } = await spliceTcp(controller.signal)
    const failed = Promise.all([once(client, 'error'), once(origin, 'error')])
    controller.abort(new Error('enough'))
    await assert.rejects(done, /enough/)
    for (const [error] of await failed) assert.equal((error as NodeJS.ErrnoException).code, 'ECONNRESET')
  })

  test('a signal that has aborted before lets nothing through', TEST, async (t) => {
    assertNoLeaks(t)
    const { client, origin, done } = spliceMemory(AbortSignal.abort(new Error('too late')))
    await assert.rejects(done, /too late/)
    client.destroy()
    origin.destroy()
  })

  test('a signal is left alone once all is over', TEST, async (t) => {
    assertNoLeaks(t)
    const { signal } = new AbortController()
    const { client, origin, done } = spliceMemory(signal)
    assert.equal(getEventListeners(signal, 'abort').length, 1)
    client.end()
    origin.end()
    client.resume()
    origin.resume()
    await done
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  test('a stream that is closed without an error before its end fails the other', TEST, async (t) => {
    assertNoLeaks(t)
    const { client, origin, done, inner } = await spliceTcp()
    const failed = once(origin, 'error')
    client.on('error', () => {})
    inner[0]?.destroy()
    await assert.rejects(done, /closed before its end/)
    await failed
    client.destroy()
  })

  test('a stream that was closed before is noticed', TEST, async (t) => {
    assertNoLeaks(t)
    const [, a] = duplexPair()
    const [b] = duplexPair()
    a.on('error', () => {})
    a.destroy(new Error('gone'))
    await assert.rejects(splice(a, b, { forward: 0, backward: 0 }), /gone/)
    assert.equal(b.destroyed, true)
    const [c] = duplexPair()
    const [d] = duplexPair()
    d.destroy()
    await assert.rejects(splice(c, d, { forward: 0, backward: 0 }), /closed before it was spliced/)
    assert.equal(c.destroyed, true)
  })

  test('a stream that fails in place of its end, after the end of the other, fails the splice', TEST, async (t) => {
    assertNoLeaks(t)
    const [client, a] = duplexPair()
    client.on('error', () => {})
    const failing = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const emit = failing.emit.bind(failing) as (event: string, ...args: unknown[]) => boolean
    failing.emit = (event: string, ...args: unknown[]) =>
      event === 'end' ? failing.destroy(new Error('cut off')).destroyed : emit(event, ...args)
    const done = splice(a, failing, { forward: 0, backward: 0 })
    client.end()
    await once(failing, 'finish')
    failing.push(null)
    await assert.rejects(done, /cut off/)
    assert.equal(a.destroyed, true)
    client.destroy()
  })

  test("an error after both ends is nobody's business any more", TEST, async (t) => {
    assertNoLeaks(t)
    const [client, a] = duplexPair()
    const late = new Duplex({
      autoDestroy: false,
      read() {
        this.push(null)
      },
      write: (_chunk, _encoding, done) => done(),
    })
    const done = splice(a, late, { forward: 0, backward: 0 })
    client.end()
    client.resume()
    await done
    late.destroy(new Error('late'))
    await new Promise((resolve) => late.once('close', resolve))
  })

  test('a reset behind an end that has not left yet is a reset, and no socket is forgotten', TEST, async (t) => {
    assertNoLeaks(t)
    const controller = new AbortController()
    const { client, origin, moved, done, inner } = await spliceTcp(controller.signal)
    const [a, b] = inner
    const failed = once(origin, 'error')
    client.on('error', () => {})
    const block = randomBytes(64 * 1024)
    // Until the kernel takes no more, the origin not reading: then the end has to wait.
    for (let sent = 0; b?.writableLength === 0;) {
      client.write(block)
      sent += block.length
      while (moved.forward < sent || (b?.writableCorked ?? 0) > 0) await new Promise(setImmediate)
    }
    client.end()
    while (a?.readableEnded === false) await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await assert.rejects(done, /enough/)
    origin.resume()
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET')
    client.destroy()
  })

  test('a large piece waits for the others of its turn, a small one does not', TEST, async (t) => {
    assertNoLeaks(t)
    const [near, far] = duplexPair()
    const [socket, peer] = await tcpPair()
    const done = splice(far, socket, { forward: 0, backward: 0 })
    const held: number[] = []
    far.on('data', () => held.push(socket.writableCorked))
    near.write(Buffer.alloc(100))
    await once(peer, 'readable')
    near.write(Buffer.alloc(8_192))
    near.end(Buffer.alloc(8_192))
    let received = 0
    for await (const chunk of peer as AsyncIterable<Buffer>) received += chunk.length
    assert.deepEqual([held[0], held.includes(1), received], [0, true, 16_484])
    peer.end()
    near.resume()
    await done
  })

  test('is over only when the last byte has been taken', TEST, async (t) => {
    assertNoLeaks(t)
    const taken = Promise.withResolvers<() => void>()
    const slow = new Duplex({
      read() {
        this.push(null)
      },
      write: (_chunk, _encoding, done) => taken.resolve(done),
    })
    const [client, a] = duplexPair()
    let over = false
    const done = splice(a, slow, { forward: 0, backward: 0 }).then(() => (over = true))
    client.end('slowly')
    client.resume()
    const finish = await taken.promise
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    assert.equal(over, false)
    finish()
    await done
  })
})

describe('resetStream', () => {
  test('destroys what knows no reset', () => {
    const [stream] = duplexPair()
    resetStream(stream)
    assert.equal(stream.destroyed, true)
    resetStream(stream)
  })

  test('closes a socket whose end is on its way out', TEST, async (t) => {
    assertNoLeaks(t)
    const [stream, peer] = await tcpPair()
    stream.end()
    resetStream(stream)
    await once(stream, 'close')
    peer.destroy()
  })

  test('destroys what refuses to reset', () => {
    const [stream] = duplexPair()
    const stubborn = Object.assign(stream, {
      resetAndDestroy: () => {
        throw new Error('no handle')
      },
    })
    resetStream(stubborn)
    assert.equal(stream.destroyed, true)
  })
})
