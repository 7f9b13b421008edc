import { deepEqual, equal, ok, rejects } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { bytes, readSome } from '../support/streams.ts'
import { REFUSED, WRITABLE_CLOSED } from '../support/texts.ts'
import { delay, Order } from '../support/trial.ts'

/** From the call to an open connection (reference, section 4). */
export const opening: readonly Behaviour[] = [
  {
    id: 'S-050',
    title: 'connect() returns at once, before anything has gone out',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      equal(socket.secureTransport, 'off')
      await rejects(socket.opened, { message: REFUSED })
    },
  },
  {
    id: 'S-051a',
    title: 'opened gives the requested address and an undefined local address',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const info = await socket.opened
      deepEqual(Object.keys(info).toSorted(), ['localAddress', 'remoteAddress'])
      equal(info.remoteAddress, t.address)
      equal(info.localAddress, undefined)
    },
  },
  {
    id: 'S-051b',
    title: 'what opened gives is the same plain, mutable object each time',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const info = (await socket.opened) as Record<string, unknown>
      equal(Object.getPrototypeOf(info), Object.prototype)
      info['added'] = 1
      equal(((await socket.opened) as Record<string, unknown>)['added'], 1)
    },
  },
  {
    id: 'S-051c',
    title: 'a connection that closes again has opened all the same',
    peer: 'greet-then-end',
    binding: true,
    async run(t) {
      const socket = await t.open()
      await readSome(socket.readable.getReader(), 100)
      await socket.closed
      equal((await socket.opened).remoteAddress, t.address)
    },
  },
  {
    id: 'S-053a',
    title: 'what is written before opened is sent',
    peer: 'live',
    async run({ connect, address, peer }) {
      const socket = connect(address)
      const writer = socket.writable.getWriter()
      await writer.write('early')
      equal((await peer.received(5)).text, 'early')
    },
  },
  {
    id: 'S-053b',
    title: 'a write from before opened settles after it',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address)
      const order = new Order()
      const written = order.note('write', socket.writable.getWriter().write('early'))
      await Promise.all([order.note('opened', socket.opened), written])
      deepEqual(order.events, ['opened', 'write'])
    },
  },
  {
    id: 'S-053c',
    title: 'a writer closed before opened sends what was written, then FIN',
    peer: 'live',
    async run({ connect, address, peer }) {
      const socket = connect(address)
      const writer = socket.writable.getWriter()
      void writer.write('all of it')
      await writer.close()
      const { text, events } = await peer.saw('end')
      equal(text, 'all of it')
      deepEqual(events, ['open', 'data', 'end'])
    },
  },
  {
    id: 'S-053d',
    title: 'writer.ready does not wait for the connection',
    peer: 'live',
    async run({ connect, address }) {
      const socket = connect(address)
      const order = new Order()
      const ready = order.note('ready', socket.writable.getWriter().ready)
      await Promise.all([order.note('opened', socket.opened), ready])
      deepEqual(order.events, ['ready', 'opened'])
    },
  },
  {
    id: 'S-053e',
    title: 'a read from before opened gets what the peer sends',
    peer: 'greet-then-end',
    async run({ connect, address }) {
      const reader = connect(address).readable.getReader()
      deepEqual(await readSome(reader, 100), { text: 'hello', done: true })
    },
  },
  {
    id: 'S-053f',
    title: 'writes from before opened keep their order',
    peer: 'live',
    async run({ connect, address, peer }) {
      const writer = connect(address).writable.getWriter()
      const words = Array.from({ length: 50 }, (_, index) => `${index} `)
      await Promise.all(words.map((word) => writer.write(word)))
      const expected = words.join('')
      equal((await peer.received(expected.length)).text, expected)
    },
  },
  {
    id: 'S-054a',
    title: 'ignoring opened and closed of a failed connection leaves no rejection unhandled',
    peer: 'refuse',
    alone: true,
    async run(t) {
      const watch = t.surroundings.watchUnhandled()
      const socket = t.connect(t.address)
      const writer = socket.writable.getWriter()
      void writer.ready
      void writer.closed
      void socket.close()
      await t.settle()
      watch.stop()
      deepEqual(watch.messages, [])
    },
  },
  {
    id: 'S-054b',
    title: 'a promise derived from opened that nobody handles is an unhandled rejection',
    peer: 'refuse',
    alone: true,
    async run(t) {
      const watch = t.surroundings.watchUnhandled()
      const socket = t.connect(t.address)
      void socket.opened.then(() => {})
      await t.settle()
      watch.stop()
      deepEqual(watch.messages, [`Error: ${REFUSED}`])
    },
  },
  {
    id: 'S-054c',
    title: 'a rejected write that nobody handles is an unhandled rejection',
    peer: 'live',
    alone: true,
    async run(t) {
      const socket = await t.open()
      const writer = socket.writable.getWriter()
      await writer.close()
      const watch = t.surroundings.watchUnhandled()
      void writer.write(bytes('x'))
      await delay(20)
      await t.settle()
      watch.stop()
      deepEqual(watch.messages, [`TypeError: ${WRITABLE_CLOSED}`])
    },
  },
  {
    id: 'S-055',
    title: 'a peer that accepts and says nothing has been opened',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const read = socket.readable.getReader().read()
      await t.pending(read, 'the read')
      await t.pending(socket.closed, 'closed')
      ok((await t.peer.connections()) >= 1, 'the peer was reached')
    },
  },
]
