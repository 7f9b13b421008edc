import { behaviour, outcome, pair, recorder, state, textOf, thrown } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'

const OK = { ok: 'undefined' }
const READ_CLOSING = { error: 'TypeError: This ReadableStream belongs to an object that is closing.' }
const WRITE_CLOSING = { error: 'TypeError: This WritableStream belongs to an object that is closing.' }
const SOCKET_CLOSED = { error: 'TypeError: This socket has been closed.' }
const CLOSED = { error: 'TypeError: This WritableStream has been closed.' }
const FLOOD = 20 * 1_048_576

/** S-130 to S-138. */
export const CLOSE: readonly Behaviour[] = [
  behaviour(
    'S-130 every call gives a promise of its own, for nothing',
    async (h) => {
      const { socket } = await pair(h)
      const [one, two] = [socket.close(), socket.close()]
      return [one === two, one === socket.closed, await outcome(one), await outcome(two), await outcome(socket.closed)]
    },
    [false, false, OK, OK, OK],
  ),
  behaviour(
    'S-131 a reason is ignored',
    async (h) => {
      const { socket } = await pair(h)
      const closable: { close: (reason: unknown) => Promise<void> } = socket
      return [await outcome(closable.close(new Error('why'))), await outcome(socket.closed)]
    },
    [OK, OK],
  ),
  behaviour(
    'S-132 the peer sees the end',
    async (h) => {
      const { socket, peer } = await pair(h)
      await socket.close()
      return [await peer.ended(), await peer.gone()]
    },
    ['fin', 'fin'],
  ),
  behaviour(
    'S-132 close() waits until the socket is open',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address)
      const { log, watch } = recorder()
      watch('close', socket.close())
      watch('opened', socket.opened)
      await peer.ended()
      await h.quiet()
      return log
    },
    ['opened', 'close'],
  ),
  behaviour(
    'S-132 close() waits for a peer that does not read; aborting the writer releases it',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.pause()
      const writer = socket.writable.getWriter()
      const write = outcome(writer.write(new Uint8Array(FLOOD)))
      await h.quiet()
      const close = outcome(socket.close())
      const early = await state(h, close)
      await writer.abort(new RangeError('no'))
      return [early, await write, await close, await outcome(socket.closed)]
    },
    ['pending', { error: 'RangeError: no' }, OK, { error: 'RangeError: no' }],
  ),
  behaviour(
    'S-133 everything written before is delivered, and the promises resolve',
    async (h) => {
      const { socket, peer } = await pair(h)
      const writer = socket.writable.getWriter()
      const writes = [writer.write(new Uint8Array(FLOOD)), writer.write('end')].map(outcome)
      const close = await outcome(socket.close())
      return [close, await Promise.all(writes), await peer.count(FLOOD + 3), await peer.ended()]
    },
    [OK, [OK, OK], FLOOD + 3, 'fin'],
  ),
  behaviour(
    'S-133 also what was written before the connection was open',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address)
      const write = outcome(socket.writable.getWriter().write('early'))
      return [await outcome(socket.close()), await write, await peer.received(5), await peer.ended()]
    },
    [OK, OK, 'early', 'fin'],
  ),
  behaviour(
    'S-133 a writer that is being closed gets to finish',
    async (h) => {
      const peer = await h.peer()
      const socket = h.connect(peer.address)
      const writer = socket.writable.getWriter()
      const calls = [writer.write('abc'), writer.close(), socket.close()].map(outcome)
      return [await Promise.all(calls), await peer.received(3), await peer.ended()]
    },
    [[OK, OK, OK], 'abc', 'fin'],
    [[SOCKET_CLOSED, SOCKET_CLOSED, OK], 'abc', 'fin'],
  ),
  behaviour(
    'S-134 right after the call readers and writers can be had, but do nothing',
    async (h) => {
      const { socket } = await pair(h)
      const close = outcome(socket.close())
      const calls = [socket.readable.getReader().read(), socket.writable.getWriter().write('x')].map(outcome)
      return [...(await Promise.all(calls)), await close]
    },
    [READ_CLOSING, WRITE_CLOSING, OK],
  ),
  behaviour(
    'S-134 what was received is not readable any more',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('too late')
      await h.quiet()
      const reader = socket.readable.getReader()
      const close = outcome(socket.close())
      return [await outcome(reader.read()), await close]
    },
    [READ_CLOSING, OK],
  ),
  behaviour(
    'S-134 neither tee nor pipeTo start any more',
    async (h) => {
      const { socket } = await pair(h)
      const close = outcome(socket.close())
      return [
        thrown(() => socket.readable.tee()),
        await outcome(socket.readable.pipeTo(new WritableStream())),
        await close,
      ]
    },
    [READ_CLOSING.error, READ_CLOSING, OK],
  ),
  behaviour(
    'S-135 once closed reader and writer say so, each in its way',
    async (h) => {
      const { socket } = await pair(h)
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      await socket.close()
      return [
        await Promise.all([writer.write('x'), writer.closed, writer.abort('y'), reader.read()].map(outcome)),
        await Promise.all([reader.closed, reader.cancel()].map(outcome)),
        writer.desiredSize,
      ]
    },
    [[CLOSED, SOCKET_CLOSED, OK, READ_CLOSING], [OK, OK], 0],
  ),
  behaviour(
    'S-136 a read that waits rejects',
    async (h) => {
      const { socket } = await pair(h)
      const read = outcome(socket.readable.getReader().read())
      await socket.close()
      return read
    },
    SOCKET_CLOSED,
  ),
  behaviour(
    'S-136 so does a BYOB read',
    async (h) => {
      const { socket } = await pair(h)
      const read = outcome(socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(4)))
      await socket.close()
      return read
    },
    SOCKET_CLOSED,
  ),
  behaviour(
    'S-136 a running pipe resolves',
    async (h) => {
      const { socket } = await pair(h)
      const piped = outcome(socket.readable.pipeTo(new WritableStream()))
      await h.quiet()
      await socket.close()
      return piped
    },
    OK,
  ),
  behaviour(
    'S-137 close() right after the end was read resolves, and so does closed',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end()
      await socket.readable.getReader().read()
      return [await outcome(socket.close()), await outcome(socket.closed)]
    },
    [OK, OK],
    [OK, SOCKET_CLOSED],
  ),
  behaviour(
    'S-137 close() after the socket has closed by itself resolves',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.end()
      const end = await textOf(socket.readable.getReader().read())
      await socket.closed
      return [end, await outcome(socket.close())]
    },
    [{ done: true, text: 'undefined' }, OK],
  ),
  behaviour(
    'S-138 bytes that came and were not read turn the end into a reset',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('never read')
      await h.quiet()
      await socket.close()
      return peer.gone()
    },
    'reset',
  ),
  behaviour(
    'S-138 also bytes behind those that were read',
    async (h) => {
      const { socket, peer } = await pair(h)
      await peer.send('read and unread')
      await socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(4))
      await h.quiet()
      await socket.close()
      return peer.gone()
    },
    'reset',
  ),
]
