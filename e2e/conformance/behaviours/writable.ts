import { deepEqual, equal, ok, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { bytes, latin1, pattern, readSome, sha256 } from '../support/streams.ts'
import { WRITABLE_CLOSED, WRITABLE_LOCKED } from '../support/texts.ts'
import { Order } from '../support/trial.ts'

const NO_BYTES = {
  name: 'TypeError',
  message:
    'This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.',
} as const
const CLOSED = { name: 'TypeError', message: WRITABLE_CLOSED } as const

/** More than every buffer on the way to a peer that does not read. */
const TOO_MUCH = 32 * 1024 * 1024

const source = bytes('0123456789').buffer

function shared(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(10)
  new Uint8Array(buffer).set(bytes('0123456789'))
  return buffer
}

/** Everything that is sent as its bytes, and which. */
const CHUNKS: readonly (readonly [what: string, chunk: () => unknown, sent: string])[] = [
  ['a string', () => 'naïve ⚓', latin1(bytes('naïve ⚓'))],
  ['a Uint8Array', () => bytes('0123456789'), '0123456789'],
  ['the range that a Uint8Array views', () => new Uint8Array(source, 2, 3), '234'],
  ['the range that a DataView views', () => new DataView(source, 4, 2), '45'],
  ['a Uint16Array', () => new Uint16Array([0x4241, 0x4443]), 'ABCD'],
  ['an ArrayBuffer', () => bytes('buffer').buffer, 'buffer'],
  ['a SharedArrayBuffer', shared, '0123456789'],
  ['a view on a SharedArrayBuffer', () => new Uint8Array(shared(), 5, 5), '56789'],
]

/** Writes to the peer (reference, section 7). */
export const writable: readonly Behaviour[] = [
  ...each('S-085', CHUNKS, ([what, chunk, sent]) => ({
    title: `${what} is sent as its bytes`,
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await writer.write(chunk())
      await writer.close()
      equal((await t.peer.saw('end')).text, sent)
    },
  })),
  {
    id: 'S-085i',
    title: 'a lone surrogate is sent as U+FFFD',
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await writer.write('a\ud800b')
      await writer.close()
      equal((await t.peer.saw('end')).text, latin1(bytes('a\ufffdb')))
    },
  },
  {
    id: 'S-085j',
    title: 'chunks without bytes, undefined and detached buffers resolve and send nothing',
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      const detached = new Uint8Array(4)
      structuredClone(detached, { transfer: [detached.buffer] })
      for (const chunk of ['', new Uint8Array(0), new ArrayBuffer(0), undefined, detached]) await writer.write(chunk)
      await writer.write('end')
      await writer.close()
      equal((await t.peer.saw('end')).text, 'end')
    },
  },
  ...each('S-086', [1, null, {}, [1], true, 1n] as const, (chunk) => ({
    title: `a chunk that is ${Array.isArray(chunk) ? 'an array' : chunk === null ? 'null' : `a ${typeof chunk}`} is refused, and the stream goes on`,
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await rejects(writer.write(chunk), NO_BYTES)
      await writer.write('fine')
      equal((await t.peer.received(4)).text, 'fine')
    },
  })),
  {
    id: 'S-086g',
    title: 'pipeTo resolves in spite of such a chunk, and what came before it is sent',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const chunks = new ReadableStream({
        start(controller) {
          for (const chunk of ['before', 5]) controller.enqueue(chunk)
          controller.close()
        },
      })
      await chunks.pipeTo(socket.writable)
      equal((await t.peer.received(6)).text, 'before')
    },
  },
  {
    id: 'S-087',
    title: 'what is written is copied at once: neither detached nor read again',
    peer: 'live',
    async run({ connect, address, peer }) {
      const writer = connect(address).writable.getWriter()
      const chunk = bytes('before')
      const written = writer.write(chunk)
      chunk.set(bytes('AFTER!'))
      await written
      equal(chunk.byteLength, 6)
      equal((await peer.received(6)).text, 'before')
    },
  },
  {
    id: 'S-088',
    title: 'a write settles when its bytes have been taken: not while the peer does not read',
    peer: 'paused',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await t.peer.accepted()
      const data = pattern(TOO_MUCH)
      const written = writer.write(data)
      await t.pending(written, 'the write')
      await t.peer.resume()
      await written
      const report = await t.peer.received(TOO_MUCH)
      equal(report.sha256, await sha256(data))
    },
  },
  {
    id: 'S-089a',
    title: 'a writer may be released with writes pending, which go on',
    peer: 'live',
    async run({ connect, address, peer }) {
      const { writable: stream } = connect(address)
      const writer = stream.getWriter()
      void writer.write('one ')
      writer.releaseLock()
      equal(stream.locked, false)
      await stream.getWriter().write('two')
      equal((await peer.received(7)).text, 'one two')
    },
  },
  {
    id: 'S-089b',
    title: 'a released writer refuses',
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      writer.releaseLock()
      const expected = { name: 'TypeError', message: 'This WritableStream writer has been released.' }
      await rejects(writer.write('x'), expected)
    },
  },
  {
    id: 'S-090a',
    title: 'writer.close() sends what is queued and then FIN, and reading goes on',
    peer: 'sink',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      void writer.write('0123456789')
      void writer.write('0123456789')
      await writer.close()
      deepEqual(await readSome(socket.readable.getReader(), 100), { text: '20', done: true })
    },
  },
  {
    id: 'S-090b',
    title: 'after writer.close() closed is pending while the peer has not ended',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.getWriter().close()
      await t.peer.saw('end')
      await t.pending(socket.closed, 'closed')
      await t.peer.send('late')
      equal((await readSome(socket.readable.getReader(), 4)).text, 'late')
    },
  },
  {
    id: 'S-090c',
    title: 'after writer.close() further writes and closes are refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await writer.close()
      await rejects(writer.write('x'), CLOSED, 'write')
      await rejects(writer.close(), CLOSED, 'close')
    },
  },
  {
    id: 'S-090d',
    title: 'writable.close() does the same without a writer',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.close()
      deepEqual((await t.peer.saw('end')).events, ['open', 'end'])
    },
  },
  {
    id: 'S-091a',
    title: 'abort(reason) resolves, and pending writes and writer.closed reject with the reason',
    peer: 'paused',
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await t.peer.accepted()
      const reason = new Error('no more')
      const written = rejects(writer.write(new Uint8Array(TOO_MUCH)), { message: 'no more' }, 'the write')
      const closed = rejects(writer.closed, { message: 'no more' }, 'writer.closed')
      await t.settle()
      await writer.abort(reason)
      ok((await written) === reason, 'the reason itself')
      ok((await closed) === reason, 'the reason itself')
      await rejects(writer.write('x'), CLOSED)
    },
  },
  {
    id: 'S-091b',
    title: 'after abort() the read side keeps delivering and nothing has been sent',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.abort(new Error('no more'))
      await t.settle()
      deepEqual((await t.peer.report()).events, ['open'])
      await t.peer.send('still')
      equal((await readSome(socket.readable.getReader(), 5)).text, 'still')
    },
  },
  {
    id: 'S-091c',
    title: 'close() after abort(reason) resolves, and closed rejects with the reason',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.abort(new RangeError('no more'))
      const closed = rejects(socket.closed, { name: 'RangeError', message: 'no more' })
      await socket.close()
      await closed
    },
  },
  {
    id: 'S-091e',
    title: 'close() after abort() without a reason rejects closed with an Error that says undefined',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.abort()
      const closed = rejects(socket.closed, { name: 'Error', message: 'undefined' })
      await socket.close()
      await closed
    },
  },
  {
    id: 'S-091d',
    title: 'at the end of the peer, closed rejects with the reason of an abort',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.abort(new Error('no more'))
      const closed = rejects(socket.closed, { message: 'no more' })
      await t.peer.end()
      equal((await socket.readable.getReader().read()).done, true)
      await closed
    },
  },
  {
    id: 'S-092',
    title: 'abort() before opened rejects what is queued; opened still resolves',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address)
      const writer = socket.writable.getWriter()
      const written = rejects(writer.write('x'), { message: 'changed my mind' })
      await writer.abort(new Error('changed my mind'))
      await written
      equal((await socket.opened).remoteAddress, address)
    },
  },
  {
    id: 'S-093a',
    title: 'a second writer is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const { writable: stream } = await t.open()
      stream.getWriter()
      throws(() => stream.getWriter(), { name: 'TypeError', message: WRITABLE_LOCKED })
    },
  },
  {
    id: 'S-093b',
    title: 'abort and close are refused while there is a writer',
    peer: 'live',
    binding: true,
    async run(t) {
      const { writable: stream } = await t.open()
      stream.getWriter()
      const expected = { name: 'TypeError', message: WRITABLE_LOCKED }
      await rejects(stream.abort(), expected, 'abort')
      await rejects(stream.close(), expected, 'close')
    },
  },
  {
    id: 'S-094a',
    title: 'pipeTo closes the writable at the end of its source',
    peer: 'sink',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await new Response('from a body').body?.pipeTo(socket.writable as WritableStream<Uint8Array>)
      deepEqual(await readSome(socket.readable.getReader(), 100), { text: '11', done: true })
    },
  },
  {
    id: 'S-094b',
    title: 'pipeTo with preventClose leaves it open',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const target = socket.writable as WritableStream<Uint8Array>
      await new Response('one ').body?.pipeTo(target, { preventClose: true })
      await socket.writable.getWriter().write('two')
      const report = await t.peer.received(7)
      equal(report.text, 'one two')
      equal(report.events.includes('end'), false)
    },
  },
  {
    id: 'S-094c',
    title: 'an error of the source rejects the pipe and aborts the writable',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const broken = new ReadableStream({ start: (controller) => controller.error(new Error('broken source')) })
      await rejects(broken.pipeTo(socket.writable), { message: 'broken source' })
      await rejects(socket.writable.getWriter().closed, { message: 'broken source' })
      deepEqual((await t.peer.report()).events, ['open'])
    },
  },
  {
    id: 'S-088b',
    title: 'writes settle in the order in which they were made',
    peer: 'live',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      const order = new Order()
      const names = ['one', 'two', 'three']
      await Promise.all(names.map((name) => order.note(name, writer.write(name))))
      deepEqual(order.events, names)
      equal((await t.peer.received(11)).text, 'onetwothree')
    },
  },
]
