import { equal, rejects } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { readSome } from '../support/streams.ts'
import { LOST, WRITABLE_CLOSED } from '../support/texts.ts'

const CONNECTION_LOST = { name: 'Error', message: LOST } as const
const CLOSED = { name: 'TypeError', message: WRITABLE_CLOSED } as const
const TOO_MUCH = 32 * 1024 * 1024

/** RST from the peer after the connection has opened (reference, section 9). */
export const reset: readonly Behaviour[] = [
  {
    id: 'S-110a',
    title: 'a reset rejects the pending read and reader.closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader()
      const read = rejects(reader.read(), CONNECTION_LOST, 'the read')
      const closed = rejects(reader.closed, CONNECTION_LOST, 'reader.closed')
      await t.peer.reset()
      await Promise.all([read, closed])
    },
  },
  {
    id: 'S-110b',
    title: 'a reset seen by a read resolves closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = rejects(socket.readable.getReader().read(), CONNECTION_LOST)
      await t.peer.reset()
      await read
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-110c',
    title: 'the error of a reset says that it is retryable',
    peer: 'live',
    binding: true,
    async run(t) {
      const read = rejects((await t.open()).readable.getReader().read(), CONNECTION_LOST)
      await t.peer.reset()
      equal(((await read) as Error & { retryable?: unknown }).retryable, true)
    },
  },
  {
    id: 'S-110d',
    title: 'a reset rejects a pending BYOB read',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader({ mode: 'byob' })
      const read = rejects(reader.read(new Uint8Array(8)), CONNECTION_LOST)
      await t.peer.reset()
      await read
    },
  },
  {
    id: 'S-110e',
    title: 'a reset in answer to the first byte rejects the read',
    peer: 'reset-after-first-byte',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = rejects(socket.readable.getReader().read(), CONNECTION_LOST)
      await socket.writable.getWriter().write('x')
      await read
    },
  },
  {
    id: 'S-110f',
    title: 'a reset errors a body made of the readable',
    peer: 'live',
    binding: true,
    async run(t) {
      const body = rejects(new Response((await t.open()).readable).text(), CONNECTION_LOST)
      await t.peer.reset()
      await body
    },
  },
  {
    id: 'S-111',
    title: 'a reset while nobody reads leaves closed pending',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.reset()
      await t.pending(socket.closed, 'closed')
    },
  },
  {
    id: 'S-112a',
    title: 'a reset rejects the write that meets it, and refuses later ones',
    peer: 'paused',
    binding: true,
    async run(t) {
      const writer = (await t.open()).writable.getWriter()
      await t.peer.accepted()
      const written = rejects(writer.write(new Uint8Array(TOO_MUCH)), CONNECTION_LOST, 'the write')
      const closed = rejects(writer.closed, CONNECTION_LOST, 'writer.closed')
      await t.settle()
      await t.peer.reset()
      await Promise.all([written, closed])
      await rejects(writer.write('x'), CLOSED)
    },
  },
  {
    id: 'S-112b',
    title: 'after a reset met by a write, a read is at the end and closed resolves',
    peer: 'paused',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.accepted()
      const written = rejects(socket.writable.getWriter().write(new Uint8Array(TOO_MUCH)), CONNECTION_LOST)
      await t.settle()
      await t.peer.reset()
      await written
      equal((await socket.readable.getReader().read()).done, true)
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-113a',
    title: 'what came before the reset is delivered first',
    peer: 'live',
    binding: true,
    async run(t) {
      const reader = (await t.open()).readable.getReader()
      const reading = readSome(reader, 11)
      await t.peer.send('last words!')
      equal((await reading).text, 'last words!')
      const read = rejects(reader.read(), CONNECTION_LOST)
      await t.peer.reset()
      await read
    },
  },
  {
    id: 'S-113b',
    title: 'and even when it is read after the reset',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.send('last words!')
      await t.settle()
      await t.peer.reset()
      await t.settle()
      const reader = socket.readable.getReader()
      equal((await readSome(reader, 11)).text, 'last words!')
      await rejects(reader.read(), CONNECTION_LOST)
    },
  },
  {
    id: 'S-114a',
    title: 'close() after a reset resolves',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = rejects(socket.readable.getReader().read(), CONNECTION_LOST)
      await t.peer.reset()
      await read
      equal(await socket.close(), undefined)
    },
  },
  {
    id: 'S-114b',
    title: 'close() after a reset that nobody has noticed resolves',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.reset()
      await t.settle()
      equal(await socket.close(), undefined)
    },
  },
  {
    id: 'S-115',
    title: 'a reset of one connection leaves another alone',
    peer: 'live',
    binding: true,
    async run(t) {
      const first = await t.open()
      await t.peer.accepted(0)
      const second = await t.open()
      await t.peer.accepted(1)
      const lost = rejects(first.readable.getReader().read(), CONNECTION_LOST)
      await t.peer.reset(0)
      await lost
      await t.peer.send('fine', 1)
      equal((await readSome(second.readable.getReader(), 4)).text, 'fine')
    },
  },
]
