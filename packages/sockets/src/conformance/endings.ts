import { behaviour, outcome, pair, recorder, state, take, textOf } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'

const CLOSED = { error: 'TypeError: This WritableStream has been closed.' }
const LOST = { error: 'Error: Network connection lost.' }
const OK = { ok: 'undefined' }
const END = { done: true, text: 'undefined' }
const FLOOD = 30_000_000

/** S-100 to S-105: the peer ends. */
export const ENDS: readonly Behaviour[] = [
  behaviour(
    'S-100 an end that is read closes the writable and then the socket, in this order',
    async (h) => {
      const { socket, peer } = await pair(h)
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      const { log, watch } = recorder()
      watch('closed', socket.closed)
      watch('writer.closed', writer.closed)
      watch('reader.closed', reader.closed)
      watch('read', reader.read())
      await peer.end()
      await socket.closed
      return [log, await peer.ended()]
    },
    [['reader.closed', 'read', 'writer.closed', 'closed'], 'fin'],
  ),
  behaviour(
    'S-100 after that nothing can be written',
    async (h) => {
      const { socket, peer } = await pair(h)
      const writer = socket.writable.getWriter()
      await peer.end()
      await socket.readable.getReader().read()
      await socket.closed
      return [writer.desiredSize, await outcome(writer.write('x')), await outcome(writer.close())]
    },
    [0, CLOSED, CLOSED],
  ),
  behaviour(
    'S-101 an end that nobody reads changes nothing',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end()
      await h.quiet()
      const write = await outcome(socket.writable.getWriter().write('still here'))
      return [write, await peer.received(10), await state(h, socket.closed)]
    },
    [OK, 'still here', 'pending'],
  ),
  behaviour(
    'S-101 nor does one behind bytes that were read',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end('abc')
      const text = await take(socket.readable.getReader(), 3)
      await h.quiet()
      return [text, await outcome(socket.writable.getWriter().write('x')), await state(h, socket.closed)]
    },
    ['abc', OK, 'pending'],
  ),
  behaviour(
    'S-102 what was written before the end was read is sent before the end',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.pause()
      const writer = socket.writable.getWriter()
      const writes = [writer.write(new Uint8Array(FLOOD)), writer.write('last')].map(outcome)
      await peer.end()
      await socket.readable.getReader().read()
      const early = await state(h, socket.closed)
      await peer.resume()
      return [
        early,
        await Promise.all(writes),
        await peer.count(FLOOD + 4),
        await peer.ended(),
        await outcome(socket.closed),
      ]
    },
    ['pending', [OK, OK], FLOOD + 4, 'fin', OK],
  ),
  behaviour(
    'S-103 a writer that was closed before is no hindrance',
    async (h) => {
      const { socket, peer } = await pair(h)
      await socket.writable.getWriter().close()
      await peer.end()
      const read = await textOf(socket.readable.getReader().read())
      return [read, await outcome(socket.closed)]
    },
    [END, OK],
  ),
  behaviour(
    'S-104 half-open, the writable outlives the end of the peer',
    async (h) => {
      const { socket, peer } = await pair(h, { allowHalfOpen: true })
      await peer.end('request')
      const reader = socket.readable.getReader()
      const text = [await take(reader, 7), await textOf(reader.read())]
      await socket.writable.getWriter().write('answer')
      return [text, await peer.received(6), await state(h, socket.closed), await state(h, peer.ended())]
    },
    [['request', END], 'answer', 'pending', 'pending'],
  ),
  behaviour(
    'S-104 half-open, closed waits for close() even when both have ended',
    async (h) => {
      const { socket, peer } = await pair(h, { allowHalfOpen: true })
      await peer.end()
      await socket.readable.getReader().read()
      await socket.writable.getWriter().close()
      const early = [await peer.ended(), await state(h, socket.closed)]
      return [early, await outcome(socket.close()), await outcome(socket.closed)]
    },
    [['fin', 'pending'], OK, OK],
  ),
  behaviour(
    'S-104 half-open goes over into the socket of startTls',
    async (h) => {
      const peer = await h.peer({ tls: 'good' })
      const old = h.connect(`localhost:${peer.port}`, { secureTransport: 'starttls', allowHalfOpen: true })
      const socket = old.startTls()
      await peer.accepted()
      await peer.end()
      await socket.readable.getReader().read()
      await socket.writable.getWriter().write('still')
      return [await peer.received(5), await state(h, socket.closed)]
    },
    ['still', 'pending'],
  ),
  behaviour(
    'S-105 a half-open write to a peer that is gone is lost, and then the stream is closed',
    async (h) => {
      const { socket, peer } = await pair(h, { allowHalfOpen: true })
      await peer.end()
      await socket.readable.getReader().read()
      await peer.reset()
      await h.quiet()
      const writer = socket.writable.getWriter()
      return [await outcome(writer.write('x')), await outcome(writer.write('y')), await outcome(socket.closed)]
    },
    [LOST, CLOSED, OK],
  ),
]

/** S-110 to S-114: the connection breaks. */
export const RESETS: readonly Behaviour[] = [
  behaviour(
    'S-110 a reset rejects the read and closed of the reader, and resolves closed of the socket',
    async (h) => {
      const { socket, peer } = await pair(h)
      const reader = socket.readable.getReader()
      const read = outcome(reader.read())
      await peer.reset()
      return [await read, await outcome(reader.closed), await outcome(socket.closed), await outcome(reader.read())]
    },
    [LOST, LOST, OK, LOST],
  ),
  behaviour(
    'S-110 the error says that it may be tried again',
    async (h) => {
      const { socket, peer } = await pair(h)
      const read = socket.readable.getReader().read()
      await peer.reset()
      const error = (await read.catch((reason: unknown) => reason)) as Error
      return [Object.entries(error), error.name]
    },
    [[['retryable', true]], 'Error'],
  ),
  behaviour(
    'S-110 a BYOB read rejects as well',
    async (h) => {
      const { socket, peer } = await pair(h)
      const read = outcome(socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(8)))
      await peer.reset()
      return read
    },
    LOST,
  ),
  behaviour(
    'S-110 under TLS a reset is the same',
    async (h) => {
      const peer = await h.peer({ tls: 'good' })
      const socket = h.connect(`localhost:${peer.port}`, { secureTransport: 'on' })
      const reader = socket.readable.getReader()
      await peer.accepted()
      await peer.send('a')
      await take(reader, 1)
      const read = outcome(reader.read())
      await peer.reset()
      return [await read, await outcome(reader.closed), await outcome(socket.closed)]
    },
    [LOST, LOST, OK],
  ),
  behaviour(
    'S-110 after a reset that was read the writer is told by its next write',
    async (h) => {
      const { socket, peer } = await pair(h)
      const writer = socket.writable.getWriter()
      const read = outcome(socket.readable.getReader().read())
      await peer.reset()
      await read
      const before = await state(h, writer.closed)
      return [before, await outcome(writer.write('x')), await outcome(writer.write('y')), await outcome(writer.closed)]
    },
    ['pending', LOST, CLOSED, LOST],
  ),
  behaviour(
    'S-110 a pipe rejects and aborts its destination',
    async (h) => {
      const { socket, peer } = await pair(h)
      const aborted = Promise.withResolvers<never>()
      const abort = outcome(aborted.promise)
      const piped = outcome(socket.readable.pipeTo(new WritableStream({ abort: (reason) => aborted.reject(reason) })))
      await h.quiet()
      await peer.reset()
      return [await piped, await abort, await outcome(socket.closed)]
    },
    [LOST, LOST, OK],
  ),
  behaviour(
    'S-111 a reset that nobody notices leaves closed pending',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.reset()
      return state(h, socket.closed)
    },
    'pending',
  ),
  behaviour(
    'S-112 a reset that a write meets rejects it and closed of the writer; reads find the end',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.reset()
      await h.quiet()
      const writer = socket.writable.getWriter()
      const writes = [await outcome(writer.write('x')), await outcome(writer.write('y')), await outcome(writer.closed)]
      return [writes, await textOf(socket.readable.getReader().read()), await outcome(socket.closed)]
    },
    [[LOST, CLOSED, LOST], END, OK],
  ),
  behaviour(
    'S-112 a reset behind a stuck write rejects it and what is queued behind it',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.pause()
      const writer = socket.writable.getWriter()
      const writes = [writer.write(new Uint8Array(FLOOD)), writer.write('queued')].map(outcome)
      await h.quiet()
      await peer.reset()
      return [await Promise.all(writes), await outcome(socket.closed), await outcome(socket.close())]
    },
    [[LOST, LOST], OK, OK],
  ),
  behaviour(
    'S-113 bytes that came before the reset are read first',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('abc')
      await h.quiet()
      await peer.reset()
      await h.quiet()
      const reader = socket.readable.getReader()
      return [await take(reader, 3), await outcome(reader.read()), await outcome(socket.closed)]
    },
    ['abc', LOST, OK],
  ),
  behaviour(
    'S-113 so are those of a reader that had stopped for a while',
    async (h) => {
      const { socket, peer } = await pair(h)
      const reader = socket.readable.getReader()
      const texts = [] as string[]
      await peer.send('a')
      texts.push(await take(reader, 1))
      for (const text of ['b', 'c', 'd']) {
        await peer.send(text)
        await h.quiet()
      }
      await peer.reset()
      await h.quiet()
      texts.push(await take(reader, 3))
      return [texts, await outcome(reader.read())]
    },
    [['a', 'bcd'], LOST],
  ),
  behaviour(
    'S-114 after a reset close() resolves, again and again',
    async (h) => {
      const { socket, peer } = await pair(h)
      const read = outcome(socket.readable.getReader().read())
      await peer.reset()
      await read
      return [await outcome(socket.close()), await outcome(socket.close()), await outcome(socket.closed)]
    },
    [OK, OK, OK],
  ),
  behaviour(
    'S-114 so it does when nobody has noticed the reset',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.reset()
      await h.quiet()
      return [await outcome(socket.close()), await outcome(socket.closed)]
    },
    [OK, OK],
  ),
]
