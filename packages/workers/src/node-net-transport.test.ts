/** What lies between the streams of Node.js and those of a connection. */
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { ReadableByteStreamController } from 'node:stream/web'
import { test } from 'node:test'
import fc from 'fast-check'
import { asOnRead, deliver } from './runtime-node/on-read.ts'
import { Transport } from './runtime-node/transport.ts'

interface Wire {
  readonly transport: Transport
  /** What was written, in the chunks it left in. */
  readonly written: Uint8Array[]
  readonly calls: string[]
  /** Held names to verify, of upgrades. */
  readonly upgrades: {
    readonly name: string | undefined
    readonly nextRead: () => Promise<{ readonly done: boolean }>
  }[]
}

/** A connection that gives `incoming` and takes everything, or nothing. */
function wire(incoming: readonly Uint8Array[], { stuck = false }: { readonly stuck?: boolean } = {}): Wire {
  const written: Uint8Array[] = []
  const calls: string[] = []
  const upgrades: Wire['upgrades'] = []
  const queue = [...incoming]
  const readable = new ReadableStream({
    type: 'bytes',
    pull(controller: ReadableByteStreamController) {
      const next = queue.shift()
      if (next !== undefined) return controller.enqueue(new Uint8Array(next))
      controller.close()
      return controller.byobRequest?.respond(0) // the end of a read that is under way
    },
  })
  const writable = new WritableStream<Uint8Array>({
    write(chunk) {
      written.push(new Uint8Array(chunk))
      return stuck ? new Promise(() => {}) : undefined
    },
    close: () => void calls.push('end'),
    abort: () => void calls.push('abort'),
  })
  const closed = Promise.withResolvers<undefined>()
  const transport = new Transport({
    readable,
    writable,
    opened: Promise.resolve(),
    closed: Promise.resolve(),
    close: () => {
      calls.push('close')
      return stuck ? closed.promise : Promise.resolve()
    },
    abort: () => void calls.push('reset'),
    startTls: ({ expectedServerHostname: name }, { nextRead }) => {
      upgrades.push({ name, nextRead })
      return transport.connection
    },
  })
  return { transport, written, calls, upgrades }
}

async function readAll(transport: Transport): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  for (let chunk = await transport.read(); chunk !== undefined; chunk = await transport.read()) chunks.push(chunk)
  return chunks
}

const chunk = fc.uint8Array({ minLength: 1, maxLength: 60_000 })

test('what is read is whole, in order, and never changes afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (incoming) => {
      // All chunks are kept until the end: a buffer that is used again too early would show.
      assert.deepEqual(Buffer.concat(await readAll(wire(incoming).transport)), Buffer.concat(incoming))
    }),
    { numRuns: 60 },
  )
})

test('a large chunk is handed on as it is, without a copy', async () => {
  const [first] = await readAll(wire([new Uint8Array(64 * 1024).fill(7)]).transport)
  assert.equal(first?.byteLength, 64 * 1024)
  assert.equal(first?.buffer.byteLength, 64 * 1024)
})

test('chunks that gathered leave as one while they are small, and one by one when they are not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 5 }), async (chunks) => {
      const { transport, written } = wire([])
      await transport.writeAll(chunks)
      const total = Buffer.concat(chunks)
      assert.deepEqual(Buffer.concat(written), total)
      assert.equal(written.length, total.byteLength < 64 * 1024 ? 1 : chunks.length)
    }),
    { numRuns: 60 },
  )
})

test('end() ends what is written, and reading goes on', async () => {
  const { transport, calls } = wire([new Uint8Array([1])])
  await transport.end()
  assert.deepEqual(calls, ['end'])
  assert.equal((await readAll(transport)).length, 1)
})

test('a connection that was let go may flush, but not for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const quick = wire([])
  await quick.transport.release()
  t.mock.timers.tick(10_000)
  assert.deepEqual(quick.calls, ['close'])
  const slow = wire([], { stuck: true })
  slow.transport.write(new Uint8Array(1)).catch(() => {})
  await new Promise(setImmediate)
  void slow.transport.release()
  t.mock.timers.tick(999)
  assert.equal(await failureOf(slow.transport), undefined)
  t.mock.timers.tick(1)
  assert.equal(await failureOf(slow.transport), 'aborted')
})

/** Whether writing has been given up. */
async function failureOf(transport: Transport): Promise<string | undefined> {
  const later = transport.write(new Uint8Array(1)).then(
    () => undefined,
    () => 'aborted',
  )
  return Promise.race([later, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))])
}

test('an upgrade goes on with the read that is under way, or with one more', async () => {
  const busy = wire([new Uint8Array([1, 2])])
  const reading = busy.transport.read()
  busy.transport.startTls('db.internal')
  assert.equal(busy.upgrades[0]?.name, 'db.internal')
  assert.equal((await busy.upgrades[0]?.nextRead())?.done, false)
  assert.deepEqual(await reading, Buffer.from([1, 2]))
  const idle = wire([])
  idle.transport.startTls(undefined)
  assert.equal((await idle.upgrades[0]?.nextRead())?.done, true)
})

test('onread gets every byte in parts of its buffer, also behind a request to pause', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), (data, size) => {
      const parts: Buffer[] = []
      const sizes: number[] = []
      let pauses = 0
      const socket = { pause: () => (pauses += 1) }
      const onRead = asOnRead({
        buffer: Buffer.alloc(size),
        callback(this: unknown, length: number, buffer: Uint8Array) {
          assert.equal(this, socket)
          sizes.push(length)
          parts.push(Buffer.from(buffer.subarray(0, length)))
          return parts.length % 2 === 0
        },
      })
      assert.ok(onRead !== undefined)
      deliver(onRead, Buffer.from(data), socket)
      assert.deepEqual(Buffer.concat(parts), Buffer.from(data))
      assert.equal(pauses, Math.ceil(parts.length / 2))
      assert.ok(sizes.slice(0, -1).every((length) => length === size))
    }),
  )
})

test('a buffer may be made anew each time, and an onread that is none is as good as none', () => {
  const buffers: Uint8Array[] = []
  const made = (): Uint8Array => {
    buffers.push(new Uint8Array(2))
    return buffers.at(-1) ?? new Uint8Array(2)
  }
  const onRead = asOnRead({ buffer: made, callback: () => true })
  assert.ok(onRead !== undefined)
  deliver(onRead, Buffer.from([1, 2, 3]), { pause: () => assert.fail('nobody asked for it') })
  assert.deepEqual(buffers, [new Uint8Array([1, 2]), new Uint8Array([3, 0])])
  for (const value of [undefined, null, 5, 'x']) assert.equal(asOnRead(value), undefined)
})
