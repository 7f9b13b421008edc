import { deepEqual, equal, rejects } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { readSome } from '../support/streams.ts'
import { LOST, WRITABLE_CLOSED } from '../support/texts.ts'
import { Order } from '../support/trial.ts'

const CLOSED = { name: 'TypeError', message: WRITABLE_CLOSED } as const
const HALF_OPEN = { allowHalfOpen: true } as const

/** The end of the peer, with and without `allowHalfOpen` (reference, section 8). */
export const halfOpen: readonly Behaviour[] = [
  {
    id: 'S-100a',
    title: 'reading the end closes the writable, then resolves closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const reader = socket.readable.getReader()
      await t.peer.end()
      equal((await reader.read()).done, true)
      equal(await socket.closed, undefined)
      deepEqual((await t.peer.saw('close')).events, ['open', 'end', 'close'])
    },
  },
  {
    id: 'S-100b',
    title: 'the order at the end is reader.closed, the read, writer.closed, closed',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
      const order = new Order()
      const all = [
        order.note('closed', socket.closed),
        order.note('writer.closed', writer.closed),
        order.note('reader.closed', reader.closed),
        order.note('read', reader.read()),
      ]
      await t.peer.end()
      await Promise.all(all)
      deepEqual(order.events, ['reader.closed', 'read', 'writer.closed', 'closed'])
    },
  },
  {
    id: 'S-100c',
    title: 'after the end writes are refused',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await t.peer.end()
      await readSome(socket.readable.getReader(), 1)
      await socket.closed
      await rejects(writer.write('x'), CLOSED)
    },
  },
  {
    id: 'S-100d',
    title: 'an end read with a BYOB reader does the same',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const reader = socket.readable.getReader({ mode: 'byob' })
      await reader.read(new Uint8Array(5), { min: 5 })
      equal((await reader.read(new Uint8Array(5))).done, true)
      await socket.closed
      await t.peer.saw('end')
    },
  },
  {
    id: 'S-100e',
    title: 'an end read as a Response body closes nothing: only direct reads do',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      equal(await new Response(socket.readable).text(), 'hello')
      await t.pending(socket.closed, 'closed')
      await socket.writable.getWriter().write('still open')
      equal((await t.peer.received(10)).text, 'still open')
    },
  },
  {
    id: 'S-101a',
    title: 'an end that nobody reads leaves closed pending and the writable open',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await t.peer.end()
      await t.pending(socket.closed, 'closed')
      await socket.writable.getWriter().write('still open')
      equal((await t.peer.received(10)).text, 'still open')
    },
  },
  {
    id: 'S-101b',
    title: 'so does reading that stops before the end',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      equal((await readSome(socket.readable.getReader(), 5)).text, 'hello')
      await t.pending(socket.closed, 'closed')
      await socket.writable.getWriter().write('still open')
      equal((await t.peer.received(10)).text, 'still open')
    },
  },
  {
    id: 'S-102',
    title: 'what was written before the end was seen is delivered before the FIN',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await t.peer.end()
      await t.settle()
      void writer.write('one ')
      void writer.write('two')
      equal((await socket.readable.getReader().read()).done, true)
      const { text, events } = await t.peer.saw('end')
      equal(text, 'one two')
      deepEqual(events.slice(0, 3), ['open', 'data', 'end'])
    },
  },
  {
    id: 'S-103',
    title: 'closed resolves at the end when the writer was closed before',
    peer: 'sink',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await socket.writable.getWriter().close()
      deepEqual(await readSome(socket.readable.getReader(), 100), { text: '0', done: true })
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-104a',
    title: 'with allowHalfOpen the writable outlives the end and delivers',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open(HALF_OPEN)
      await t.peer.end()
      equal((await socket.readable.getReader().read()).done, true)
      const writer = socket.writable.getWriter()
      await writer.write('after your end')
      await writer.close()
      const { text, events } = await t.peer.saw('close')
      equal(text, 'after your end')
      deepEqual(events, ['open', 'data', 'end', 'close'])
    },
  },
  {
    id: 'S-104b',
    title: 'with allowHalfOpen closed is pending even after both sides have ended, until close()',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open(HALF_OPEN)
      await t.peer.end()
      equal((await socket.readable.getReader().read()).done, true)
      await socket.writable.getWriter().close()
      await t.peer.saw('close')
      await t.pending(socket.closed, 'closed')
      await socket.close()
      equal(await socket.closed, undefined)
    },
  },
  {
    id: 'S-104c',
    title: 'with allowHalfOpen the end sends nothing by itself',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open(HALF_OPEN)
      await t.peer.end()
      equal((await socket.readable.getReader().read()).done, true)
      await t.settle()
      deepEqual((await t.peer.report()).events, ['open'])
    },
  },
  {
    id: 'S-105',
    title: 'writing to a peer that has closed altogether is lost in the end, and refused after that',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open(HALF_OPEN)
      const writer = socket.writable.getWriter()
      await t.peer.end()
      equal((await socket.readable.getReader().read()).done, true)
      await t.peer.reset()
      const writeUntilRefused = async (): Promise<void> => {
        for (;;) {
          await writer.write('x')
          await t.peer.ping()
        }
      }
      const error = await rejects(writeUntilRefused(), { name: 'Error', message: LOST })
      equal((error as Error & { retryable?: unknown }).retryable, true, 'retryable')
      await rejects(writer.write('x'), CLOSED)
    },
  },
  {
    id: 'S-106',
    title: 'a request ended by FIN is answered over the other half',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await writer.write('request')
      await writer.close()
      equal((await t.peer.saw('end')).text, 'request')
      const reply = 'answer '.repeat(10_000)
      await t.peer.send(reply)
      await t.peer.end()
      const { text, done } = await readSome(socket.readable.getReader(), reply.length + 1)
      equal(text.length, reply.length)
      equal(done, true)
    },
  },
]
