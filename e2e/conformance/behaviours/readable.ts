import { deepEqual, equal, ok, rejects, throws } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { latin1, pattern, readExactly, readSome, sha256 } from '../support/streams.ts'
import { READABLE_LOCKED } from '../support/texts.ts'

const BUSY = 'This ReadableStream only supports a single pending read request at a time.'
const LARGE = 1_000_000

/** Reads of the peer's data (reference, section 6). */
export const readable: readonly Behaviour[] = [
  {
    id: 'S-070a',
    title: 'the readable is a byte stream: both kinds of reader work',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('first')
      const reader = socket.readable.getReader()
      equal((await readSome(reader, 5)).text, 'first')
      reader.releaseLock()
      await t.peer.send('second')
      const byob = socket.readable.getReader({ mode: 'byob' })
      const { value } = await byob.read(new Uint8Array(6), { min: 6 })
      ok(value, 'a value')
      equal(latin1(value), 'second')
      byob.releaseLock()
      await t.peer.send('third')
      equal((await readSome(socket.readable.getReader(), 5)).text, 'third')
    },
  },
  {
    id: 'S-070b',
    title: 'a reader of any other mode is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const { readable: stream } = await t.open()
      throws(() => stream.getReader({ mode: 'fast' as 'byob' }), { name: 'TypeError' })
      equal(stream.locked, false)
    },
  },
  {
    id: 'S-071a',
    title: 'chunks are Uint8Arrays of 4096 bytes at most',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.sendPattern(LARGE)
      const reader = socket.readable.getReader()
      for (let received = 0; received < LARGE;) {
        const { value } = await reader.read()
        ok(value instanceof Uint8Array, 'a Uint8Array')
        ok(value.byteLength > 0 && value.byteLength <= 4096, `a chunk of ${value.byteLength}`)
        received += value.byteLength
      }
    },
  },
  {
    id: 'S-071b',
    title: 'what is read is what was sent',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.sendPattern(LARGE)
      const data = await readExactly(socket.readable.getReader(), LARGE)
      equal(await sha256(data), await sha256(pattern(LARGE)))
    },
  },
  {
    id: 'S-072a',
    title: 'a BYOB read transfers the buffer and gives a view on it',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('hello')
      const view = new Uint8Array(new ArrayBuffer(16), 4, 8)
      const { value } = await socket.readable.getReader({ mode: 'byob' }).read(view, { min: 5 })
      equal(view.byteLength, 0, 'the view given')
      ok(value, 'a value')
      equal(value.buffer.byteLength, 16)
      equal(value.byteOffset, 4)
      equal(latin1(value), 'hello')
    },
  },
  {
    id: 'S-072b',
    title: 'a BYOB read smaller than what is there leaves the rest',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('hello world')
      const reader = socket.readable.getReader({ mode: 'byob' })
      const first = await reader.read(new Uint8Array(5), { min: 5 })
      const second = await reader.read(new Uint8Array(20), { min: 6 })
      equal(latin1(first.value ?? new Uint8Array()), 'hello')
      equal(latin1(second.value ?? new Uint8Array()), ' world')
    },
  },
  {
    id: 'S-072c',
    title: 'a BYOB read without room is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader({ mode: 'byob' })
      await rejects(
        Promise.resolve().then(() => reader.read(new Uint8Array(0))),
        { name: 'TypeError' },
      )
    },
  },
  {
    id: 'S-072d',
    title: 'a BYOB read without a view is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader({ mode: 'byob' })
      const read = reader.read.bind(reader) as () => Promise<unknown>
      await rejects(
        Promise.resolve().then(() => read()),
        { name: 'TypeError' },
      )
    },
  },
  {
    id: 'S-073a',
    title: 'read(view, { min }) waits for so many bytes',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const reading = socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(10), { min: 6 })
      await t.peer.send('abc')
      await t.pending(reading, 'the read of six bytes with three there')
      await t.peer.send('def')
      equal(latin1((await reading).value ?? new Uint8Array()), 'abcdef')
    },
  },
  {
    id: 'S-073b',
    title: 'readAtLeast(n, view) waits for n bytes',
    peer: 'live',
    async run(t) {
      const socket = await t.open()
      const reader = socket.readable.getReader({ mode: 'byob' }) as ReadableStreamBYOBReader & {
        readAtLeast(bytes: number, view: Uint8Array): Promise<{ value?: Uint8Array }>
      }
      const reading = reader.readAtLeast(6, new Uint8Array(10))
      await t.peer.send('abc')
      await t.pending(reading, 'the read of six bytes with three there')
      await t.peer.send('def')
      equal(latin1((await reading).value ?? new Uint8Array()), 'abcdef')
    },
  },
  {
    id: 'S-074',
    title: 'a BYOB read at the end gives the buffer back in an empty view',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader({ mode: 'byob' })
      await reader.read(new Uint8Array(5), { min: 5 })
      const { value, done } = await reader.read(new Uint8Array(32))
      equal(done, true)
      ok(value instanceof Uint8Array, 'a view')
      equal(value.byteLength, 0)
    },
  },
  {
    id: 'S-075',
    title: 'a second read while one is pending is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader()
      const first = reader.read()
      await rejects(reader.read(), { name: 'TypeError', message: BUSY })
      await t.peer.send('x')
      equal(latin1((await first).value ?? new Uint8Array()), 'x')
    },
  },
  {
    id: 'S-076',
    title: 'a reader with a read pending cannot be released, and keeps its lock',
    peer: 'live',
    binding: true,
    async run(t) {
      const { readable: stream } = await t.open()
      const reader = stream.getReader()
      const pending = reader.read()
      throws(() => reader.releaseLock(), {
        name: 'TypeError',
        message: 'Cannot call releaseLock() on a reader with outstanding read promises.',
      })
      equal(stream.locked, true)
      await t.peer.send('x')
      equal((await pending).done, false)
      reader.releaseLock()
      equal(stream.locked, false)
    },
  },
  {
    id: 'S-077a',
    title: 'cancel(reason) rejects a pending read with the reason; later reads are at the end',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader()
      const pending = reader.read()
      const rejected = rejects(pending, { name: 'RangeError', message: 'enough' })
      await reader.cancel(new RangeError('enough'))
      await rejected
      equal((await reader.read()).done, true)
    },
  },
  {
    id: 'S-077b',
    title: 'after cancel() closed is pending, nothing has been sent, and writing goes on',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.readable.cancel()
      await t.pending(socket.closed, 'closed')
      deepEqual((await t.peer.report()).events, ['open'])
      await socket.writable.getWriter().write('still here')
      equal((await t.peer.received(10)).text, 'still here')
    },
  },
  {
    id: 'S-078a',
    title: 'leaving for await cancels the stream',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('one')
      for await (const chunk of socket.readable) {
        equal(latin1(chunk), 'one')
        break
      }
      await t.peer.send('two')
      equal((await socket.readable.getReader().read()).done, true)
    },
  },
  {
    id: 'S-078b',
    title: 'leaving values({ preventCancel: true }) does not',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('one')
      for await (const chunk of socket.readable.values({ preventCancel: true })) {
        equal(latin1(chunk), 'one')
        break
      }
      await t.peer.send('two')
      equal((await readSome(socket.readable.getReader(), 3)).text, 'two')
    },
  },
  {
    id: 'S-079a',
    title: 'both branches of tee() get everything, and closed stays pending at the end',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [left, right] = socket.readable.tee()
      const texts = await Promise.all([new Response(left).text(), new Response(right).text()])
      deepEqual(texts, ['hello', 'hello'])
      await t.pending(socket.closed, 'closed')
    },
  },
  {
    id: 'S-079b',
    title: 'pipeTo into the writable of another socket carries data and end across',
    peer: 'live',
    async run(t) {
      const source = await t.open()
      const target = await t.open()
      const piped = source.readable.pipeTo(target.writable)
      await t.peer.accepted(1)
      await t.peer.send('through', 0)
      await t.peer.end(0)
      await piped
      equal((await t.peer.saw('end', 1)).text, 'through')
      await t.pending(source.closed, 'closed of the source')
    },
  },
  {
    id: 'S-079c',
    title: 'the readable is a Response body',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      equal(await new Response((await t.open()).readable).text(), 'hello')
    },
  },
  {
    id: 'S-079d',
    title: 'the readable goes through pipeThrough',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const upper = new TransformStream<Uint8Array<ArrayBuffer>, string>({
        transform: (chunk, controller) => controller.enqueue(latin1(chunk).toUpperCase()),
      })
      let text = ''
      for await (const part of socket.readable.pipeThrough(upper)) text += part
      equal(text, 'HELLO')
    },
  },
  {
    id: 'S-079e',
    title: 'a body that is a readable keeps coming after the one who made it has returned',
    peer: 'live',
    async run(t) {
      const socket = await t.open()
      const body = new Response(socket.readable).text()
      await t.peer.send('one ')
      await t.settle()
      await t.peer.send('two')
      await t.peer.end()
      equal(await body, 'one two')
    },
  },
  {
    id: 'S-080a',
    title: 'a second reader is refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const { readable: stream } = await t.open()
      stream.getReader()
      throws(() => stream.getReader(), { name: 'TypeError', message: READABLE_LOCKED })
    },
  },
  {
    id: 'S-080b',
    title: 'cancel and pipeTo are refused while there is a reader',
    peer: 'live',
    binding: true,
    async run(t) {
      const { readable: stream } = await t.open()
      stream.getReader()
      const expected = { name: 'TypeError', message: READABLE_LOCKED }
      await rejects(stream.cancel(), expected, 'cancel')
      await rejects(stream.pipeTo(new WritableStream()), expected, 'pipeTo')
    },
  },
  {
    id: 'S-070c',
    title: 'data in one-byte pieces arrives whole and in order',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const reader = socket.readable.getReader()
      const text = 'piece by piece'
      const sending = (async () => {
        for (const letter of text) await t.peer.send(letter)
      })()
      equal(latin1(await readExactly(reader, text.length)), text)
      await sending
    },
  },
]
