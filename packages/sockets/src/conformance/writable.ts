import { behaviour, outcome, pair, recorder, state, textOf, thrown } from './behaviour.ts'
import type { Behaviour, Harness, Peer } from './behaviour.ts'
import type { Socket } from '../socket.ts'

const CLOSED = { error: 'TypeError: This WritableStream has been closed.' }
const RELEASED = { error: 'TypeError: This WritableStream writer has been released.' }
const LOCKED = 'TypeError: This WritableStream is currently locked to a writer.'
const INVALID =
  'TypeError: This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView type on its writable side.'
const OK = { ok: 'undefined' }
/** More than a kernel takes from a socket whose peer does not read. */
const FLOOD = 30_000_000

type Writer = WritableStreamDefaultWriter<unknown>

async function writing(h: Harness): Promise<{ writer: Writer; socket: Socket; peer: Peer }> {
  const { socket, peer } = await pair(h)
  return { writer: socket.writable.getWriter() as Writer, socket, peer }
}

/** A writer whose peer does not read, with a write that is stuck and two calls queued behind it. */
async function stuck(h: Harness): Promise<{ writer: Writer; socket: Socket; peer: Peer; waiting: Promise<unknown>[] }> {
  const { writer, socket, peer } = await writing(h)
  await peer.pause()
  const waiting = [writer.write(new Uint8Array(FLOOD)), writer.write('queued'), writer.close()]
  await h.quiet()
  return { writer, socket, peer, waiting }
}

function bytes(...values: number[]): ArrayBuffer {
  return new Uint8Array(values).buffer
}

/** What is sent for a chunk, one character a byte. */
const CHUNKS: readonly (readonly [name: string, chunk: () => unknown, sent: string])[] = [
  ['a Uint8Array', () => new Uint8Array([97, 98]), 'ab'],
  ['the viewed part of a Uint8Array', () => new Uint8Array(bytes(97, 98, 99, 100), 1, 2), 'bc'],
  ['a Uint16Array', () => new Uint16Array(bytes(97, 98)), 'ab'],
  ['a BigInt64Array', () => new BigInt64Array(bytes(97, 98, 99, 100, 101, 102, 103, 104)), 'abcdefgh'],
  ['the viewed part of a DataView', () => new DataView(bytes(97, 98, 99), 1, 1), 'b'],
  ['an ArrayBuffer', () => bytes(97, 98), 'ab'],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(2), '\0\0'],
  ['a view on shared memory', () => new Uint8Array(new SharedArrayBuffer(4), 1, 2).fill(97), 'aa'],
  ['a resizable ArrayBuffer', () => new ArrayBuffer(2, { maxByteLength: 8 }), '\0\0'],
  ['text, as UTF-8', () => 'a\u00e9', 'a\u00c3\u00a9'],
  ['text with half a surrogate pair', () => '\ud800', '\u00ef\u00bf\u00bd'],
  ['an empty text', () => '', ''],
  ['an empty view', () => new Uint8Array(0), ''],
  ['nothing', () => undefined, ''],
  [
    'memory that is gone',
    () => {
      const view = new Uint8Array(4)
      structuredClone(view.buffer, { transfer: [view.buffer] })
      return view
    },
    '',
  ],
]

const NOT_CHUNKS: readonly unknown[] = [5, null, {}, [1, 2], new Blob(['x']), new String('x'), true, 5n, () => {}]

/** S-085 to S-094. */
export const WRITABLE: readonly Behaviour[] = [
  ...CHUNKS.map(([name, chunk, sent]) =>
    behaviour(
      `S-085 ${name} can be written`,
      async (h) => {
        const { writer, peer } = await writing(h)
        const written = await outcome(writer.write(chunk()))
        await writer.write('.')
        return [written, await peer.received(sent.length + 1)]
      },
      [OK, `${sent}.`],
    ),
  ),
  ...NOT_CHUNKS.map((chunk) =>
    behaviour(
      `S-086 ${Object.prototype.toString.call(chunk)} cannot be written, and does no harm`,
      async (h) => {
        const { writer, peer } = await writing(h)
        const written = await outcome(writer.write(chunk))
        return [written, await outcome(writer.write('next')), await peer.received(4)]
      },
      [{ error: INVALID }, OK, 'next'],
    ),
  ),
  ...[undefined, { highWaterMark: 4 }].map((options) =>
    behaviour(
      `S-085 empty chunks in a queue ${options === undefined ? 'without' : 'with'} a budget settle in their turn`,
      async (h) => {
        const peer = await h.peer()
        const writer = h.connect(peer.address, options).writable.getWriter()
        const writes = ['', 'a', '', '', 'b', ''].map((chunk) => writer.write(chunk))
        return [
          await outcome(Promise.all(writes).then(() => {})),
          await peer.received(2),
          await outcome(writer.close()),
        ]
      },
      [OK, 'ab', OK],
    ),
  ),
  behaviour(
    'S-087 what is written before the connection is open is what was there at the time',
    async (h) => {
      const peer = await h.peer()
      const writer = h.connect(peer.address).writable.getWriter()
      const chunk = new Uint8Array([97, 98, 99])
      const write = writer.write(chunk)
      chunk.fill(120)
      await write
      return [await peer.received(3), chunk.length]
    },
    ['abc', 3],
  ),
  behaviour(
    'S-087 what is written behind a stuck write is what was there at the time',
    async (h) => {
      const { writer, peer } = await writing(h)
      await peer.pause()
      const flood = writer.write(new Uint8Array(FLOOD))
      const chunk = new Uint8Array(5000).fill(97)
      const write = writer.write(chunk)
      chunk.fill(98)
      await peer.resume()
      await Promise.all([flood, write])
      await writer.write('!')
      await peer.count(FLOOD + 5001)
      return peer.tail(3)
    },
    'aa!',
  ),
  behaviour(
    'S-087 a stuck write is sent as it was at the time',
    async (h) => {
      const { writer, peer } = await writing(h)
      await peer.pause()
      const chunk = new Uint8Array(FLOOD).fill(97)
      const write = writer.write(chunk)
      chunk.fill(98)
      await peer.resume()
      await write
      await peer.count(FLOOD)
      return peer.tail(3)
    },
    'aaa',
  ),
  behaviour(
    'S-088 a write waits until the kernel has all of it',
    async (h) => {
      const { writer, peer } = await writing(h)
      await peer.pause()
      const write = writer.write(new Uint8Array(FLOOD))
      const early = await state(h, write)
      await peer.resume()
      return [early, await outcome(write), await peer.count(FLOOD)]
    },
    ['pending', OK, FLOOD],
  ),
  behaviour(
    'S-088 writes that nobody awaits arrive in order',
    async (h) => {
      const { writer, peer } = await writing(h)
      const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(20)
      await Promise.all(Array.from(letters, (letter) => writer.write(letter)))
      return (await peer.received(letters.length)) === letters
    },
    true,
  ),
  behaviour(
    'S-089 a released writer does nothing any more, but its writes go on',
    async (h) => {
      const { writer, peer } = await writing(h)
      const write = outcome(writer.write('sent'))
      const { closed } = writer
      writer.releaseLock()
      writer.releaseLock()
      const calls = [writer.write('x'), writer.close(), writer.abort(), closed, writer.closed].map(outcome)
      return [await write, await peer.received(4), await Promise.all(calls), thrown(() => writer.desiredSize)]
    },
    [OK, 'sent', Array.from({ length: 5 }, () => RELEASED), RELEASED.error],
  ),
  behaviour(
    'S-090 close flushes and sends the end; reading goes on and closed stays pending',
    async (h) => {
      const { writer, socket, peer } = await writing(h)
      const write = writer.write('last')
      const close = await outcome(writer.close())
      await write
      const received = [await peer.received(4), await peer.ended()]
      await peer.send('answer')
      const answer = await textOf(socket.readable.getReader().read())
      return [close, received, answer, await state(h, socket.closed), await outcome(writer.closed)]
    },
    [OK, ['last', 'fin'], { done: false, text: 'answer' }, 'pending', OK],
  ),
  behaviour(
    'S-090 after close nothing can be written or closed',
    async (h) => {
      const { writer } = await writing(h)
      await writer.close()
      return [await outcome(writer.write('x')), await outcome(writer.close()), writer.desiredSize]
    },
    [CLOSED, CLOSED, 0],
  ),
  behaviour(
    'S-090 the stream itself can be closed as well',
    async (h) => {
      const { socket, peer } = await pair(h)
      return [await outcome(socket.writable.close()), await peer.ended()]
    },
    [OK, 'fin'],
  ),
  behaviour(
    'S-091 abort rejects what waits with the reason, and the rest finds the stream closed',
    async (h) => {
      const { writer, waiting } = await stuck(h)
      const { closed } = writer
      const abort = outcome(writer.abort(new RangeError('no')))
      const calls = await Promise.all([...waiting, closed].map(outcome))
      return [await abort, calls, await outcome(writer.write('x')), await outcome(writer.abort('again'))]
    },
    [OK, Array.from({ length: 4 }, () => ({ error: 'RangeError: no' })), CLOSED, OK],
  ),
  behaviour(
    'S-091 an idle writer can be aborted too',
    async (h) => {
      const { writer } = await writing(h)
      await writer.abort(new RangeError('no'))
      return [await outcome(writer.closed), await outcome(writer.write('x')), writer.desiredSize]
    },
    [{ error: 'RangeError: no' }, CLOSED, 0],
  ),
  behaviour(
    'S-091 abort tells the peer nothing, and reading goes on',
    async (h) => {
      const { writer, socket, peer } = await writing(h)
      await writer.abort('no')
      await peer.send('still here')
      const read = await textOf(socket.readable.getReader().read())
      return [read, await state(h, peer.ended()), await state(h, socket.closed)]
    },
    [{ done: false, text: 'still here' }, 'pending', 'pending'],
  ),
  behaviour(
    'S-091 close() after an abort resolves, and closed rejects with the reason',
    async (h) => {
      const { writer, socket } = await writing(h)
      await writer.abort(new RangeError('no'))
      return [await outcome(socket.close()), await outcome(socket.closed)]
    },
    [OK, { error: 'RangeError: no' }],
  ),
  behaviour(
    'S-091 without a reason closed rejects with an error called undefined',
    async (h) => {
      const { writer, socket } = await writing(h)
      await writer.abort()
      return [await outcome(writer.closed), await outcome(socket.close()), await outcome(socket.closed)]
    },
    [{ error: 'undefined' }, OK, { error: 'Error: undefined' }],
  ),
  behaviour(
    'S-091 an end read after an abort rejects closed with the reason',
    async (h) => {
      const { writer, socket, peer } = await writing(h)
      await writer.abort(new RangeError('no'))
      await peer.end()
      await socket.readable.getReader().read()
      return outcome(socket.closed)
    },
    { error: 'RangeError: no' },
  ),
  behaviour(
    'S-092 abort before the connection is open drops what is queued, and opened resolves',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address)
      const writer = socket.writable.getWriter()
      const write = outcome(writer.write('never'))
      const abort = await outcome(writer.abort(new RangeError('no')))
      await socket.opened
      return [await write, abort, await state(h, peer.received(1))]
    },
    [{ error: 'RangeError: no' }, OK, 'pending'],
  ),
  behaviour(
    'S-093 a locked stream gives no second writer, and cannot be closed or aborted',
    async (h) => {
      const { writable } = (await pair(h)).socket
      writable.getWriter()
      return [thrown(() => writable.getWriter()), await outcome(writable.close()), await outcome(writable.abort())]
    },
    [LOCKED, { error: LOCKED }, { error: LOCKED }],
  ),
  behaviour(
    'S-094 a pipe writes everything and ends the socket',
    async (h) => {
      const { socket, peer } = await pair(h)
      await new Response('piped in').body?.pipeTo(socket.writable as WritableStream<Uint8Array>)
      return [await peer.received(8), await peer.ended()]
    },
    ['piped in', 'fin'],
  ),
  behaviour(
    'S-094 unless that is prevented',
    async (h) => {
      const { socket, peer } = await pair(h)
      const target = socket.writable as WritableStream<Uint8Array>
      await new Response('piped').body?.pipeTo(target, { preventClose: true })
      await socket.writable.getWriter().write(' and written')
      return peer.received(17)
    },
    'piped and written',
  ),
  behaviour(
    'S-094 an error of the source rejects the pipe and aborts the socket',
    async (h) => {
      const { socket } = await pair(h)
      const source = new ReadableStream({ pull: (controller) => controller.error(new RangeError('source')) })
      const piped = await outcome(source.pipeTo(socket.writable))
      return [piped, await outcome(socket.close()), await outcome(socket.closed)]
    },
    [{ error: 'RangeError: source' }, OK, { error: 'RangeError: source' }],
  ),
  behaviour(
    'S-086 S-094 a chunk that cannot be sent breaks a pipe',
    async (h) => {
      const { socket } = await pair(h)
      const source = new ReadableStream({
        start: (controller) => {
          for (const chunk of [5, new Uint8Array(1)]) controller.enqueue(chunk)
          controller.close()
        },
      })
      return outcome(source.pipeTo(socket.writable))
    },
    { error: INVALID },
    OK,
  ),
  behaviour(
    'S-094 a running pipe locks the stream',
    async (h) => {
      const { writable } = (await pair(h)).socket
      new ReadableStream({ pull: () => new Promise(() => {}) }).pipeTo(writable).catch(() => {})
      return [writable.locked, thrown(() => writable.getWriter()), await outcome(writable.close())]
    },
    [true, LOCKED, { error: LOCKED }],
  ),
  behaviour(
    'S-089 the lock of a writer can be handed on while a write is on its way',
    async (h) => {
      const { writer, socket, peer } = await writing(h)
      const { log, watch } = recorder()
      watch('first', writer.write('one'))
      writer.releaseLock()
      const next = socket.writable.getWriter()
      watch('second', next.write('two'))
      await peer.received(6)
      await h.quiet()
      return [log, await peer.received(6)]
    },
    [['first', 'second'], 'onetwo'],
  ),
]
