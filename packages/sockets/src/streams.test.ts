import assert from 'node:assert/strict'
import { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { before, test } from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import fc from 'fast-check'
import { NodeHarness } from './conformance/node-harness.ts'
import { makeCertificates } from './conformance/peer.ts'
import type { PeerCertificates, ScriptedPeer } from './conformance/peer.ts'
import { createConnect } from './connect.ts'
import type { Connect } from './connect.ts'
import type { Socket } from './socket.ts'

let certificates: PeerCertificates
let connect: Connect

before(async () => {
  const { caPem, ...made } = await makeCertificates(createAuthority)
  certificates = made
  connect = createConnect({ tls: [{ match: '*', ca: caPem }] })
})

async function open(harness: NodeHarness, echo = false): Promise<{ socket: Socket; peer: ScriptedPeer }> {
  const peer = await harness.peer({ echo })
  const socket = connect(peer.address)
  await socket.opened
  await peer.accepted()
  return { socket, peer }
}

test('the streams are those of Node', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { readable, writable } = (await open(harness)).socket
  assert.ok(readable instanceof ReadableStream)
  assert.ok(writable instanceof WritableStream)
  const reader = readable.getReader({ mode: 'byob' })
  assert.ok(reader instanceof ReadableStreamBYOBReader)
  reader.releaseLock()
  assert.ok(readable.getReader() instanceof ReadableStreamDefaultReader)
  assert.ok(writable.getWriter() instanceof WritableStreamDefaultWriter)
})

test('Readable.fromWeb and Writable.fromWeb take them', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket } = await open(harness, true)
  const answer = text(Readable.fromWeb(socket.readable as never))
  await pipeline(Readable.from(['one ', 'two']), Writable.fromWeb(socket.writable as never))
  assert.equal(await answer, 'one two')
})

test('a body of a response is read to the end, and then the socket closes', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket, peer } = await open(harness)
  await peer.end('body')
  assert.equal(await new Response(socket.readable).text(), 'body')
  await socket.closed
})

test('a stream that was read from is disturbed, and no body', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket, peer } = await open(harness)
  assert.equal(Readable.isDisturbed(socket.readable as never), false)
  await peer.send('x')
  const reader = socket.readable.getReader()
  await reader.read()
  reader.releaseLock()
  assert.equal(Readable.isDisturbed(socket.readable as never), true)
  assert.throws(() => new Response(socket.readable), TypeError)
})

test("readers of Node's own making work too, and lose nothing to ours", async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket, peer } = await open(harness)
  await peer.send('one')
  const foreign = new ReadableStreamDefaultReader(socket.readable)
  assert.equal(Buffer.from((await foreign.read()).value ?? []).toString(), 'one')
  const abandoned = foreign.read()
  foreign.releaseLock()
  await assert.rejects(abandoned)
  await peer.send('two')
  await harness.quiet()
  const reader = socket.readable.getReader()
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'two')
  reader.releaseLock()
  const bytes = new ReadableStreamBYOBReader(socket.readable)
  await peer.end('three')
  assert.equal(Buffer.from((await bytes.read(new Uint8Array(9))).value ?? []).toString(), 'three')
  assert.equal((await bytes.read(new Uint8Array(9))).done, true)
})

test('a pipe that is aborted without cancelling leaves what comes later to the next reader', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket, peer } = await open(harness)
  const controller = new AbortController()
  const piped = socket.readable.pipeTo(new WritableStream(), { preventCancel: true, signal: controller.signal })
  await harness.quiet()
  controller.abort()
  await assert.rejects(piped, { name: 'AbortError' })
  await peer.send('later')
  await harness.quiet()
  assert.equal(Buffer.from((await socket.readable.getReader().read()).value ?? []).toString(), 'later')
})

test('an abort of the stream while a pipe reads it reaches the destination', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { socket, peer } = await open(harness)
  const aborted = Promise.withResolvers<unknown>()
  const piped = assert.rejects(socket.readable.pipeTo(new WritableStream({ abort: aborted.resolve })))
  await harness.quiet()
  await peer.reset()
  await piped
  assert.match(String(await aborted.promise), /Network connection lost/)
})

test('a view on the pool of small buffers cannot be read into', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const reader = (await open(harness)).socket.readable.getReader({ mode: 'byob' })
  await assert.rejects(reader.read(Buffer.from('from the pool')), {
    name: 'TypeError',
    message: 'Unable to use non-detachable ArrayBuffer',
  })
})

test('whatever the sizes of writes and reads, an echo gives every byte back in order', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const writes = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 4000, maxLength: 9000 })),
    {
      maxLength: 12,
    },
  )
  const reads = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(writes, reads, fc.boolean(), async (chunks, sizes, wait) => {
      const { socket } = await open(harness, true)
      const writer = socket.writable.getWriter()
      const sent = chunks.map((chunk) => Buffer.from(chunk))
      const sending = (async () => {
        for (const chunk of chunks) {
          const write = writer.write(chunk)
          chunk.fill(0) // the memory is the program's again
          if (wait) await write
        }
        await writer.close()
      })()
      const received = await readBySizes(socket, sizes)
      await sending
      assert.deepEqual(received, Buffer.concat(sent))
      await socket.close()
    }),
    { numRuns: 40 },
  )
})

/** Reads to the end, each read into a view of the next of the sizes; 0 takes a chunk as it comes. */
async function readBySizes({ readable }: Socket, sizes: readonly number[]): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for (let turn = 0; ; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 0
    const reader = size === 0 ? readable.getReader() : readable.getReader({ mode: 'byob' })
    const { done, value } =
      reader instanceof ReadableStreamBYOBReader ? await reader.read(new Uint8Array(size)) : await reader.read()
    reader.releaseLock()
    if (done) return Buffer.concat(parts)
    parts.push(value)
  }
}
