import { behaviour, describe, outcome, pair, state, take, textOf, thrown } from './behaviour.ts'
import type { Behaviour, Harness, Peer } from './behaviour.ts'
import type { Socket } from '../socket.ts'

const LOCKED = 'TypeError: This ReadableStream is currently locked to a reader.'
const NOT_A_VIEW =
  "TypeError: Failed to execute 'read' on 'ReadableStreamBYOBReader': parameter 1 is not of type 'ArrayBufferView'."

/** The BYOB reader as workerd has it, with its older method beside the standard's. */
interface ByobReader extends ReadableStreamBYOBReader {
  readAtLeast(bytes: number, view: ArrayBufferView): Promise<{ done: boolean; value?: Uint8Array }>
}

async function byob(h: Harness): Promise<{ reader: ByobReader; socket: Socket; peer: Peer }> {
  const { socket, peer } = await pair(h)
  return { reader: socket.readable.getReader({ mode: 'byob' }) as unknown as ByobReader, socket, peer }
}

/** S-070 to S-080. */
export const READABLE: readonly Behaviour[] = [
  behaviour(
    'S-070 default and BYOB readers may take turns',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('hello world')
      const bytes = socket.readable.getReader({ mode: 'byob' })
      const first = await textOf(bytes.read(new Uint8Array(6)))
      bytes.releaseLock()
      const reader = socket.readable.getReader()
      const second = await take(reader, 5)
      reader.releaseLock()
      await peer.send('!')
      return [first, second, await textOf(socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(6)))]
    },
    [{ done: false, text: 'hello ' }, 'world', { done: false, text: '!' }],
  ),
  behaviour(
    'S-070 there is no other kind of reader',
    async (h) => {
      const { socket } = await pair(h)
      const { readable } = socket
      const get = (options: unknown) => () => readable.getReader(options as { mode: 'byob' })
      return [
        thrown(get({ mode: 'x' })),
        thrown(get({ mode: null })),
        String(thrown(get(5))).slice(0, 11),
        readable.locked,
      ]
    },
    [
      "TypeError: mode must be undefined or 'byob' in call to getReader().",
      "TypeError: mode must be undefined or 'byob' in call to getReader().",
      'TypeError: ',
      false,
    ],
  ),
  behaviour(
    'S-071 chunks are plain Uint8Arrays',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('x')
      const { value } = await socket.readable.getReader().read()
      return value !== undefined && Object.getPrototypeOf(value) === Uint8Array.prototype
    },
    true,
  ),
  behaviour(
    'S-071 every byte of a long message arrives',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.sendMany(1_000_000)
      let bytes = 0
      const reader = socket.readable.getReader()
      while (bytes < 1_000_000) bytes += (await reader.read()).value?.length ?? Number.NaN
      return bytes
    },
    1_000_000,
  ),
  behaviour(
    'S-072 a BYOB read takes the buffer away and gives it back filled',
    async (h) => {
      const { reader, peer } = await byob(h)
      const view = new Uint8Array(new ArrayBuffer(10), 2, 4)
      const read = reader.read(view)
      const left = view.byteLength
      await peer.send('abcdef')
      const { value } = await read
      return [left, value?.byteOffset, value?.length, value?.buffer.byteLength]
    },
    [0, 2, 4, 10],
  ),
  behaviour(
    'S-072 what does not fit stays for the next read',
    async (h) => {
      const { reader, peer } = await byob(h)
      await peer.send('hello world')
      const first = await textOf(reader.read(new Uint8Array(5)))
      return [first, await textOf(reader.readAtLeast(6, new Uint8Array(20)))]
    },
    [
      { done: false, text: 'hello' },
      { done: false, text: ' world' },
    ],
  ),
  ...(
    [
      [() => new Uint16Array(4), 'Uint16Array'],
      [() => new Float64Array(1), 'Float64Array'],
      [() => new DataView(new ArrayBuffer(8)), 'DataView'],
    ] as const
  ).map(([view, name]) =>
    behaviour(
      `S-072 a ${name} comes back as a Uint8Array`,
      async (h) => {
        const { reader, peer } = await byob(h)
        await peer.send('abcdefgh')
        const { value } = await reader.read<ArrayBufferView>(view())
        return [describe(value?.constructor.name), value?.byteLength]
      },
      ['Uint8Array', 8],
    ),
  ),
  ...(
    [
      [
        'an empty view',
        () => new Uint8Array(0),
        'TypeError: You must call read() on a "byob" reader with a positive-sized TypedArray object.',
      ],
      ['no view', () => undefined, NOT_A_VIEW],
      ['a number', () => 5, NOT_A_VIEW],
      ['a bare buffer', () => new ArrayBuffer(4), NOT_A_VIEW],
      [
        'shared memory',
        () => new Uint8Array(new SharedArrayBuffer(4)),
        'TypeError: Unable to use non-detachable ArrayBuffer',
      ],
      [
        'a view whose memory is gone',
        () => {
          const view = new Uint8Array(4)
          structuredClone(view.buffer, { transfer: [view.buffer] })
          return view
        },
        'TypeError: You must call read() on a "byob" reader with a positive-sized TypedArray object.',
      ],
    ] as const
  ).map(([name, view, error]) =>
    behaviour(
      `S-072 a BYOB read into ${name} rejects`,
      async (h) => outcome((await byob(h)).reader.read(view() as Uint8Array)),
      { error },
    ),
  ),
  behaviour(
    'S-073 a read with min waits for that many bytes',
    async (h) => {
      const { reader, peer } = await byob(h)
      const read = textOf(reader.read(new Uint8Array(8), { min: 6 }))
      await peer.send('abc')
      const early = await state(h, read)
      await peer.send('defghi')
      return [early, await read, await textOf(reader.read(new Uint8Array(8)))]
    },
    ['pending', { done: false, text: 'abcdefgh' }, { done: false, text: 'i' }],
  ),
  behaviour(
    'S-073 readAtLeast does the same',
    async (h) => {
      const { reader, peer } = await byob(h)
      const read = textOf(reader.readAtLeast(6, new Uint8Array(8)))
      await peer.send('abc')
      const early = await state(h, read)
      await peer.send('def')
      return [early, await read]
    },
    ['pending', { done: false, text: 'abcdef' }],
  ),
  behaviour(
    'S-073 at the end of the stream it gives what there is',
    async (h) => {
      const { reader, peer } = await byob(h)
      await peer.end('abc')
      return [await textOf(reader.readAtLeast(6, new Uint8Array(8))), (await reader.read(new Uint8Array(8))).done]
    },
    [{ done: false, text: 'abc' }, true],
  ),
  ...(
    [
      [0, 'TypeError: Requested invalid minimum number of bytes to read (0).'],
      [5, 'TypeError: Minimum bytes to read (5) exceeds size of buffer (4).'],
      [-1, 'TypeError: Minimum bytes to read (18446744073709551615) exceeds size of buffer (4).'],
      ['x', 'TypeError: Requested invalid minimum number of bytes to read (0).'],
    ] as const
  ).map(([min, error]) =>
    behaviour(
      `S-073 min ${JSON.stringify(min)} for four bytes rejects`,
      async (h) => outcome((await byob(h)).reader.read(new Uint8Array(4), { min: min as number })),
      { error },
    ),
  ),
  behaviour(
    'S-074 a BYOB read at the end gives the buffer back, empty',
    async (h) => {
      const { reader, peer } = await byob(h)
      await peer.end()
      const { done, value } = await reader.read(new Uint8Array(10))
      return [done, value?.byteLength, value?.buffer.byteLength]
    },
    [true, 0, 10],
  ),
  behaviour(
    'S-075 there is one read at a time',
    async (h) => {
      const { socket, peer } = await pair(h)
      const reader = socket.readable.getReader()
      const first = textOf(reader.read())
      const second = await outcome(reader.read())
      await peer.send('x')
      return [second, await first]
    },
    [
      { error: 'TypeError: This ReadableStream only supports a single pending read request at a time.' },
      { done: false, text: 'x' },
    ],
  ),
  behaviour(
    'S-076 a reader with a read on its way cannot be released, and keeps the lock',
    async (h) => {
      const { socket, peer } = await pair(h)
      const reader = socket.readable.getReader()
      const read = textOf(reader.read())
      const release = thrown(() => reader.releaseLock())
      await peer.send('x')
      return [release, socket.readable.locked, await read]
    },
    [
      'TypeError: Cannot call releaseLock() on a reader with outstanding read promises.',
      true,
      { done: false, text: 'x' },
    ],
  ),
  behaviour(
    'S-076 a released reader does nothing any more, and its closed rejects',
    async (h) => {
      const { socket } = await pair(h)
      const reader = socket.readable.getReader()
      const { closed } = reader
      reader.releaseLock()
      reader.releaseLock()
      return Promise.all([reader.read(), reader.cancel(), closed, reader.closed].map(outcome))
    },
    Array.from({ length: 4 }, () => ({ error: 'TypeError: This ReadableStream reader has been released.' })),
  ),
  behaviour(
    'S-077 cancel resolves, the read that waits rejects with the reason, later ones find the end',
    async (h) => {
      const { socket } = await pair(h)
      const reader = socket.readable.getReader()
      const read = outcome(reader.read())
      const cancel = await outcome(reader.cancel(new RangeError('enough')))
      return [cancel, await read, await outcome(reader.closed), await textOf(reader.read())]
    },
    [{ ok: 'undefined' }, { error: 'RangeError: enough' }, { ok: 'undefined' }, { done: true, text: 'undefined' }],
  ),
  behaviour(
    'S-077 a reason that is no error becomes one',
    async (h) => {
      const reader = (await pair(h)).socket.readable.getReader()
      const read = outcome(reader.read())
      await reader.cancel('enough')
      return read
    },
    { error: 'Error: enough' },
  ),
  behaviour(
    'S-077 without a reason the stream was cancelled',
    async (h) => {
      const reader = (await pair(h)).socket.readable.getReader()
      const read = outcome(reader.read())
      await reader.cancel()
      return read
    },
    { error: 'Error: Stream was cancelled.' },
  ),
  behaviour(
    'S-077 after a cancel closed is pending, writes go on, and the peer is told nothing',
    async (h) => {
      const { socket, peer } = await pair(h)
      await socket.readable.cancel()
      await socket.writable.getWriter().write('still here')
      return [await peer.received(10), await state(h, socket.closed), await state(h, peer.ended())]
    },
    ['still here', 'pending', 'pending'],
  ),
  behaviour(
    'S-078 for await reads to the end, and then the socket closes',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('abc')
      let text = ''
      for await (const chunk of socket.readable) text += new TextDecoder().decode(chunk)
      return [text, await outcome(socket.closed), socket.readable.locked]
    },
    ['abc', { ok: 'undefined' }, false],
  ),
  behaviour(
    'S-078 leaving the loop cancels the stream',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('abc')
      for await (const _ of socket.readable) break
      return textOf(socket.readable.getReader().read())
    },
    { done: true, text: 'undefined' },
  ),
  behaviour(
    'S-078 unless that is prevented',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('abc')
      for await (const _ of socket.readable.values({ preventCancel: true })) break
      await peer.send('def')
      return textOf(socket.readable.getReader().read())
    },
    { done: false, text: 'def' },
  ),
  behaviour(
    'S-079 tee gives the bytes twice and leaves closed pending at the end',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('abc')
      const [one, two] = socket.readable.tee()
      const texts = await Promise.all([new Response(one).text(), new Response(two).text()])
      return [texts, await state(h, socket.closed)]
    },
    [['abc', 'abc'], 'pending'],
  ),
  behaviour(
    'S-079 pipeTo takes every byte and closes the destination',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('abc')
      let text = ''
      const write = (chunk: Uint8Array): void => void (text += new TextDecoder().decode(chunk))
      await socket.readable.pipeTo(new WritableStream({ write, close: () => void (text += ' closed') }))
      return [text, await outcome(socket.closed)]
    },
    ['abc closed', { ok: 'undefined' }],
  ),
  behaviour(
    'S-079 pipeThrough works',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('abc')
      let text = ''
      const transform = new TransformStream<Uint8Array, string>({
        transform: (chunk, controller) => controller.enqueue(new TextDecoder().decode(chunk).toUpperCase()),
      })
      for await (const part of socket.readable.pipeThrough(transform)) text += part
      return text
    },
    'ABC',
  ),
  behaviour(
    'S-079 a socket piped into a socket ends it, and closed of both stays pending',
    async (h) => {
      const from = await pair(h)
      const to = await pair(h)
      const piped = from.socket.readable.pipeTo(to.socket.writable as WritableStream<Uint8Array>)
      await from.peer.end('abc')
      await piped
      const received = [await to.peer.received(3), await to.peer.ended()]
      return [received, await state(h, from.socket.closed), await state(h, to.socket.closed)]
    },
    [['abc', 'fin'], 'pending', 'pending'],
  ),
  behaviour(
    'S-079 a response takes the readable as its body',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('body')
      return new Response(socket.readable).text()
    },
    'body',
  ),
  behaviour(
    'S-080 a locked stream gives no second reader, and cannot be cancelled or piped',
    async (h) => {
      const { readable } = (await pair(h)).socket
      readable.getReader()
      return [
        thrown(() => readable.getReader()),
        await outcome(readable.cancel()),
        await outcome(readable.pipeTo(new WritableStream())),
        thrown(() => readable.values()),
      ]
    },
    [LOCKED, { error: LOCKED }, { error: LOCKED }, LOCKED],
  ),
  behaviour(
    'S-080 a running pipe locks the stream',
    async (h) => {
      const { readable } = (await pair(h)).socket
      readable.pipeTo(new WritableStream()).catch(() => {})
      return [readable.locked, thrown(() => readable.getReader()), await outcome(readable.cancel())]
    },
    [true, LOCKED, { error: LOCKED }],
  ),
  behaviour(
    'S-080 pipeTo wants a free stream to write to',
    async (h) => {
      const { readable } = (await pair(h)).socket
      const taken = new WritableStream()
      taken.getWriter()
      return [await outcome(readable.pipeTo(taken)), readable.locked]
    },
    [{ error: 'TypeError: This WritableStream is currently locked to a writer' }, false],
  ),
]
