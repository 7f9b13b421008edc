import { deepEqual, equal, ok, rejects } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { bytes, pattern, readSome, sha256 } from '../support/streams.ts'
import { READABLE_CLOSING, SOCKET_CLOSED, WRITABLE_CLOSED, WRITABLE_CLOSING } from '../support/texts.ts'

const CLOSED = { name: 'TypeError', message: WRITABLE_CLOSED } as const
const CLOSING_READ = { name: 'TypeError', message: READABLE_CLOSING } as const
const CLOSING_WRITE = { name: 'TypeError', message: WRITABLE_CLOSING } as const
const THIS_CLOSED = { name: 'TypeError', message: SOCKET_CLOSED } as const
const TOO_MUCH = 32 * 1024 * 1024
const LARGE = 20 * 1024 * 1024

/** `close()` (reference, section 10). */
export const close: readonly Behaviour[] = [
  {
    id: 'S-130a',
    title: 'close() gives a new promise each time, and not closed; all resolve with undefined',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [first, second] = [socket.close(), socket.close()]
      ok(first !== second, 'two promises')
      ok(first !== socket.closed, 'not closed')
      deepEqual(await Promise.all([first, second, socket.closed]), [undefined, undefined, undefined])
    },
  },
  {
    id: 'S-130b',
    title: 'close() ends the connection',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.close()
      deepEqual((await t.peer.saw('end')).events.slice(0, 2), ['open', 'end'])
    },
  },
  {
    id: 'S-131',
    title: 'the argument of close() is ignored',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      equal(await socket.close(new Error('because')), undefined)
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-132a',
    title: 'close() in the same moment as connect() waits for the connection, which opens',
    peer: 'live',
    async run({ connect, address, peer }) {
      const socket = connect(address)
      const closing = socket.close()
      equal((await socket.opened).remoteAddress, address)
      await closing
      await peer.saw('end')
    },
  },
  {
    id: 'S-132b',
    title: 'close() waits for writes that the peer does not take',
    peer: 'paused',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.accepted()
      const data = pattern(TOO_MUCH)
      const written = socket.writable.getWriter().write(data)
      const closing = socket.close()
      await t.pending(closing, 'close()')
      await t.peer.resume()
      await Promise.all([written, closing])
      equal((await t.peer.saw('end')).sha256, await sha256(data))
    },
  },
  {
    id: 'S-132c',
    title: 'aborting the writer releases a close() that is stuck behind it',
    peer: 'paused',
    async run(t) {
      const socket = await t.open()
      await t.peer.accepted()
      const writer = socket.writable.getWriter()
      const written = rejects(writer.write(new Uint8Array(TOO_MUCH)), { message: 'enough' })
      const closing = socket.close()
      await t.settle()
      await writer.abort(new Error('enough'))
      await written
      await closing.catch(() => {})
    },
  },
  {
    id: 'S-133a',
    title: 'everything written before close() is delivered',
    peer: 'sink',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const data = pattern(LARGE)
      const writer = socket.writable.getWriter()
      const written = [writer.write(data.subarray(0, 1)), writer.write(data.subarray(1))]
      await socket.close()
      await Promise.all(written)
      const report = await t.peer.saw('end')
      equal(report.bytes, LARGE)
      equal(report.sha256, await sha256(data))
    },
  },
  {
    id: 'S-133b',
    title: 'so is what was written before opened',
    peer: 'live',
    async run({ connect, address, peer }) {
      const socket = connect(address)
      const written = socket.writable.getWriter().write('early')
      await socket.close()
      await written
      equal((await peer.saw('end')).text, 'early')
    },
  },
  {
    id: 'S-134a',
    title: 'right after close() readers and writers are given, and their calls refused as closing',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const closing = socket.close()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      await rejects(reader.read(), CLOSING_READ, 'read')
      await rejects(writer.write('x'), CLOSING_WRITE, 'write')
      await closing
    },
  },
  {
    id: 'S-134b',
    title: 'what had come but was not read cannot be read after close()',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('unread')
      await t.settle()
      const closing = socket.close()
      await rejects(socket.readable.getReader().read(), CLOSING_READ)
      await closing
    },
  },
  {
    id: 'S-135a',
    title: 'once closed, writes are refused as closed and reads as closing',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      await socket.close()
      await rejects(writer.write('x'), CLOSED, 'write')
      await rejects(writer.close(), CLOSED, 'writer.close')
      await rejects(reader.read(), CLOSING_READ, 'read')
    },
  },
  {
    id: 'S-135b',
    title: 'once closed, reader.closed resolves and writer.closed rejects',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      const rejected = rejects(writer.closed, THIS_CLOSED)
      await socket.close()
      await rejected
      equal(await reader.closed, undefined)
    },
  },
  {
    id: 'S-135c',
    title: 'once closed, cancel() and abort() resolve and desiredSize is 0',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await socket.close()
      equal(writer.desiredSize, 0)
      equal(await socket.readable.cancel(), undefined)
      equal(await writer.abort(), undefined)
    },
  },
  {
    id: 'S-135d',
    title: 'a reader or writer taken once the socket is closed is refused as closing',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.close()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      await rejects(reader.read(), CLOSING_READ, 'read')
      await rejects(writer.write('x'), CLOSING_WRITE, 'write')
    },
  },
  {
    id: 'S-136a',
    title: 'close() rejects a pending read',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = rejects(socket.readable.getReader().read(), THIS_CLOSED)
      await socket.close()
      await read
    },
  },
  {
    id: 'S-136b',
    title: 'close() rejects a pending BYOB read',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = rejects(socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(8)), THIS_CLOSED)
      await socket.close()
      await read
    },
  },
  {
    id: 'S-136c',
    title: 'close() lets a running pipeTo of the readable resolve',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const piped = socket.readable.pipeTo(new WritableStream())
      await t.settle()
      await socket.close()
      equal(await piped, undefined)
    },
  },
  {
    id: 'S-137',
    title: 'close() right after the end has been read resolves, whatever becomes of closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const reader = socket.readable.getReader()
      await t.peer.end()
      equal((await reader.read()).done, true)
      const settled = socket.closed.catch(() => {})
      equal(await socket.close(), undefined)
      await settled
    },
  },
  {
    id: 'S-138',
    title: 'close() with data unread lets the connection go',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.sendPattern(100_000)
      await t.settle()
      await socket.close()
      await Promise.any([t.peer.saw('reset'), t.peer.saw('end')])
    },
  },
  {
    id: 'S-139a',
    title: 'close() on a half-open socket whose peer has ended resolves closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open({ allowHalfOpen: true })
      await t.peer.end()
      await readSome(socket.readable.getReader(), 1)
      await socket.close()
      equal(await socket.closed, undefined)
      await t.peer.saw('close')
    },
  },
  {
    id: 'S-139b',
    title: 'close() after closed has resolved resolves too',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await readSome(socket.readable.getReader(), 100)
      await socket.closed
      equal(await socket.close(), undefined)
    },
  },
  {
    id: 'S-139c',
    title: 'close() with a writer that was closed before resolves',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await writer.write(bytes('last'))
      await writer.close()
      equal(await socket.close(), undefined)
      equal((await t.peer.saw('end')).text, 'last')
    },
  },
]
