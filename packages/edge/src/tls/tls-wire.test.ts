import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import type { TLSSocket, TLSSocketOptions } from 'node:tls'
import { splice } from '@hawser/core'
import { assertNoLeaks, memoryPair, tcpPair } from '@hawser/testkit'
import type { Pair } from '@hawser/testkit'
import { client, issue, readAll, request, serveTls } from './test-peer.ts'
import { TlsWire } from './tls-wire.ts'

const TIMEOUT = { timeout: 10_000 }
const LARGE = 4 * 1024 * 1024

/** A TLS connection, the Worker's side of a splice onto it, and what lies beneath. */
class Rig implements Disposable {
  /** What the Worker would hold. */
  readonly worker: Duplex
  readonly server: TLSSocket
  /** The target's end of the raw connection. */
  readonly far: Duplex
  readonly near: Duplex
  readonly done: Promise<void>

  private constructor(worker: Duplex, server: TLSSocket, near: Duplex, far: Duplex, done: Promise<void>) {
    this.worker = worker
    this.server = server
    this.near = near
    this.far = far
    this.done = done
  }

  static async open(pair: () => Pair | Promise<Pair>, options: TLSSocketOptions = {}): Promise<Rig> {
    const [near, far] = await pair()
    const [worker, edge] = await tcpPair()
    for (const stream of [far, near, worker, edge]) stream.on('error', () => {})
    // The server needs a wire too where it does not stand on a socket.
    const beneath = far instanceof Socket ? far : new TlsWire(far)
    const server = serveTls(beneath, await issue(), options)
    server.once('end', () => beneath instanceof TlsWire && (beneath.farewell = true))
    const { stream } = await (await client()).secure(near, request())
    const done = splice(edge, stream, { forward: 0, backward: 0 })
    done.catch(() => {})
    return new Rig(worker, server, near, far, done)
  }

  [Symbol.dispose](): void {
    for (const stream of [this.worker, this.server, this.near, this.far]) stream.destroy()
  }
}

/** How a stream ended for its reader. */
function ending(stream: Duplex): Promise<string> {
  return new Promise((resolve) => {
    stream.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    stream.once('end', () => resolve('end'))
    stream.resume()
  })
}

const VERSIONS = ['TLSv1.3', 'TLSv1.2'] as const
const TRANSPORTS = { TCP: tcpPair, memory: memoryPair } as const

for (const [name, pair] of Object.entries(TRANSPORTS)) {
  for (const maxVersion of VERSIONS) {
    const over = `over ${name}, ${maxVersion}`

    test(`TLS wire: an end of the Worker is a farewell, and the answer still arrives, ${over}`, TIMEOUT, async (t) => {
      assertNoLeaks(t)
      using rig = await Rig.open(pair, { maxVersion })
      rig.worker.end('question')
      assert.equal(await readAll(rig.server), 'question')
      rig.server.end('answer')
      assert.equal(await readAll(rig.worker), 'answer')
      await rig.done
    })

    test(`TLS wire: an end of the target is an end, and it can still be written to, ${over}`, TIMEOUT, async (t) => {
      assertNoLeaks(t)
      using rig = await Rig.open(pair, { maxVersion })
      rig.server.end('bye')
      assert.equal(await readAll(rig.worker), 'bye')
      const got = readAll(rig.server)
      rig.worker.end('x'.repeat(LARGE))
      assert.equal((await got).length, LARGE)
      await rig.done
    })

    test(`TLS wire: a connection that is cut off is no end, ${over}`, TIMEOUT, async (t) => {
      assertNoLeaks(t)
      using rig = await Rig.open(pair, { maxVersion })
      const ended = ending(rig.worker)
      rig.server.write('half of it')
      await once(rig.worker, 'data')
      rig.far.end() // beneath the TLS layer
      assert.equal(await ended, 'ECONNRESET')
      await assert.rejects(rig.done, /cut off/)
    })

    test(
      `TLS wire: a connection that is cut off after the Worker's own end is no end either, ${over}`,
      TIMEOUT,
      async (t) => {
        assertNoLeaks(t)
        using rig = await Rig.open(pair, { maxVersion })
        const ended = ending(rig.worker)
        rig.worker.end('question')
        assert.equal(await readAll(rig.server), 'question')
        rig.far.end()
        assert.equal(await ended, 'ECONNRESET')
        await assert.rejects(rig.done, /cut off/)
      },
    )
  }
}

test('TLS wire: a reset of the target resets the Worker', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(tcpPair)
  const ended = ending(rig.worker)
  rig.server.write('x')
  await once(rig.worker, 'data')
  ;(rig.far as unknown as { resetAndDestroy(): void }).resetAndDestroy()
  assert.equal(await ended, 'ECONNRESET')
  await assert.rejects(rig.done, { code: 'ECONNRESET' })
})

test('TLS wire: a reset of the Worker resets the target', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(tcpPair)
  const failed = once(rig.server, 'error')
  rig.worker.write('x')
  await once(rig.server, 'data')
  ;(rig.worker as unknown as { resetAndDestroy(): void }).resetAndDestroy()
  assert.equal(((await failed)[0] as { code: string }).code, 'ECONNRESET')
})

for (const [name, pair] of Object.entries(TRANSPORTS)) {
  test(`TLS wire: all of what came before the end reaches a Worker that is slow, over ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(pair)
    rig.worker.end()
    await once(rig.server.resume(), 'end')
    rig.server.end(Buffer.alloc(LARGE, 'x'))
    let received = 0
    rig.worker.on('data', (chunk: Buffer) => {
      received += chunk.length
      rig.worker.pause()
      setImmediate(() => rig.worker.resume())
    })
    await once(rig.worker, 'end')
    assert.equal(received, LARGE)
    await rig.done
  })

  test(`TLS wire: all of what came before the cut reaches a Worker that is slow, over ${name}`, TIMEOUT, async (t) => {
    assertNoLeaks(t)
    using rig = await Rig.open(pair)
    // Beneath the receive buffers of the kernel: what lies there is lost by the reset that follows, as it is natively.
    const bytes = 100_000
    rig.server.write(Buffer.alloc(bytes, 'x'), () => rig.far.end())
    let received = 0
    rig.worker.on('data', (chunk: Buffer) => (received += chunk.length))
    await once(rig.worker, 'error')
    assert.equal(received, bytes)
  })
}

test('TLS wire: megabytes go both ways at once', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(memoryPair)
  rig.server.pipe(rig.server)
  const echoed = readAll(rig.worker)
  const block = Buffer.alloc(65_536, 'y')
  for (let sent = 0; sent < LARGE; sent += block.length) {
    if (!rig.worker.write(block)) await once(rig.worker, 'drain')
  }
  rig.worker.end()
  assert.equal((await echoed).length, LARGE)
  await rig.done
})

test('TLS wire: bytes behind the farewell are nobody’s', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  using rig = await Rig.open(tcpPair)
  const got = readAll(rig.worker)
  rig.server.end('bye', () => rig.far.write('in clear'))
  assert.equal(await got, 'bye')
})

test('TLS wire: after both farewells the connection is left to end by itself', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = memoryPair()
  const wire = new TlsWire(near)
  wire.end('the last words')
  assert.equal(await readAll(far), 'the last words')
  wire.farewell = true
  wire.destroy()
  await once(wire, 'close')
  assert.equal(near.destroyed, false)
  far.write('tickets that nobody wants')
  far.end()
  await once(near, 'close')
})

test('TLS wire: but not for ever', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const [near, far] = memoryPair()
  const wire = new TlsWire(near)
  wire.end()
  wire.farewell = true
  far.resume()
  await once(wire, 'finish')
  wire.destroy()
  t.mock.timers.tick(4_999)
  assert.equal(near.destroyed, false)
  t.mock.timers.tick(1)
  assert.equal(near.destroyed, true)
})

test('TLS wire: without them it goes at once', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const farewell of [true, false]) {
    const [near, far] = memoryPair()
    const wire = new TlsWire(near)
    wire.farewell = farewell
    if (!farewell) {
      wire.end()
      far.resume()
      await once(wire, 'finish')
    }
    wire.destroy()
    assert.equal(near.destroyed, true)
  }
})

test('TLS wire: a connection that has ended, or is gone, before it is taken over says so', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = memoryPair()
  far.end()
  await once(near.resume(), 'end')
  const wire = new TlsWire(near)
  await once(wire.resume(), 'end')
  wire.destroy()
  const [gone] = memoryPair()
  gone.destroy()
  await once(new TlsWire(gone), 'close')
})

test('TLS wire: bytes that were read and given to nobody come first', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = memoryPair()
  far.write('one ')
  await once(near, 'readable')
  near.removeAllListeners('readable')
  near.pause()
  const wire = new TlsWire(near)
  far.end('two')
  assert.equal(await readAll(wire), 'one two')
  wire.destroy()
})

test('TLS wire: a target that reads slowly stops the writer', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const [near, far] = memoryPair()
  const wire = new TlsWire(near)
  let sent = 0
  while (wire.write(Buffer.alloc(16_384))) sent += 16_384
  assert.ok(sent < 1024 * 1024)
  far.resume()
  await once(wire, 'drain')
  wire.destroy()
  far.destroy()
})
