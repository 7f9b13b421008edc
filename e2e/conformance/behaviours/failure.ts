import { deepEqual, equal, ok, rejects, throws } from '../support/assert.ts'
import { each } from '../support/behaviour.ts'
import type { Behaviour } from '../support/behaviour.ts'
import { bytes } from '../support/streams.ts'
import { DISTURBED, READ_CANCELLED, REFUSED, REFUSED_HTTP, WRITABLE_CLOSED } from '../support/texts.ts'
import { Order } from '../support/trial.ts'

const FAILED = { name: 'Error', message: REFUSED } as const
/** The prefix is literal: what a pending write of a failed connection says. */
const WRITE_FAILED = { name: 'Error', message: `jsg.Error: ${REFUSED}` } as const

/** Connections that never open (reference, section 5). */
export const failure: readonly Behaviour[] = [
  {
    id: 'S-060a',
    title: 'a refused connection rejects opened with the documented message',
    peer: 'refuse',
    run: async ({ connect, address }) => void (await rejects(connect(address).opened, FAILED)),
  },
  {
    id: 'S-060b',
    title: 'a refused connection rejects closed too, with an Error of its own',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      const errors = await Promise.all([rejects(socket.opened, FAILED), rejects(socket.closed, FAILED)])
      ok(errors[0] !== errors[1], 'two errors')
    },
  },
  {
    id: 'S-060c',
    title: 'the error carries no code, cause or errno',
    peer: 'refuse',
    async run({ connect, address }) {
      const error = await rejects(connect(address).opened, FAILED)
      for (const name of ['code', 'cause', 'errno', 'syscall', 'address']) equal(name in error, false, name)
      deepEqual(Object.keys(error), [])
    },
  },
  {
    id: 'S-060d',
    title: 'handlers of closed run before those of opened',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      const order = new Order()
      await Promise.all([order.note('opened', socket.opened), order.note('closed', socket.closed)])
      deepEqual(order.events, ['closed!', 'opened!'])
    },
  },
  ...each('S-061', [80, 443], (port) => ({
    title: `the error of port ${port} suggests fetch, for both forms of the address`,
    peer: 'live',
    async run({ connect }) {
      const expected = { name: 'Error', message: REFUSED_HTTP }
      await rejects(connect(`host..x:${port}`).opened, expected, 'string')
      const socket = connect({ hostname: 'host..x', port })
      await rejects(socket.opened, expected, 'object')
      await rejects(socket.closed, expected, 'closed')
    },
  })),
  {
    id: 'S-062a',
    title: 'a read that is pending when the connection fails is cancelled',
    peer: 'refuse',
    async run({ connect, address }) {
      const reader = connect(address).readable.getReader()
      await rejects(reader.read(), { name: 'Error', message: READ_CANCELLED })
    },
  },
  {
    id: 'S-062b',
    title: 'a read after the failure is at the end, and reader.closed resolves',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      await rejects(socket.opened, FAILED)
      const reader = socket.readable.getReader()
      equal((await reader.read()).done, true)
      await reader.closed
    },
  },
  {
    id: 'S-063a',
    title: 'writes that are pending when the connection fails reject, and writer.closed with them',
    peer: 'refuse',
    async run({ connect, address }) {
      const writer = connect(address).writable.getWriter()
      const [first, second] = [writer.write('one'), writer.write('two')]
      await Promise.all([rejects(first, WRITE_FAILED), rejects(second, WRITE_FAILED)])
      await rejects(writer.closed, WRITE_FAILED, 'writer.closed')
    },
  },
  {
    id: 'S-063b',
    title: 'writes after those say that the stream is closed',
    peer: 'refuse',
    async run({ connect, address }) {
      const writer = connect(address).writable.getWriter()
      await rejects(writer.write('one'), WRITE_FAILED)
      await rejects(writer.write('two'), { name: 'TypeError', message: WRITABLE_CLOSED })
    },
  },
  {
    id: 'S-063c',
    title: 'a writer taken after the failure learns of it by its first write',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      await rejects(socket.opened, FAILED)
      await rejects(socket.writable.getWriter().write('late'), WRITE_FAILED)
    },
  },
  {
    id: 'S-064',
    title: 'writer.close() before the failure, with nothing written, resolves',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      await socket.writable.getWriter().close()
      await rejects(socket.opened, FAILED)
    },
  },
  {
    id: 'S-065a',
    title: 'the first close() after the failure resolves, later ones reject',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      await rejects(socket.opened, FAILED)
      equal(await socket.close(), undefined)
      await rejects(socket.close(), FAILED)
    },
  },
  {
    id: 'S-065b',
    title: 'close() before the failure resolves',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      equal(await socket.close(), undefined)
      await rejects(socket.opened, FAILED)
    },
  },
  {
    id: 'S-066a',
    title: 'a Response made of the readable before the failure is empty',
    peer: 'refuse',
    async run({ connect, address }) {
      equal(await new Response(connect(address).readable).text(), '')
    },
  },
  {
    id: 'S-066b',
    title: 'no Response can be made of the readable after the failure',
    peer: 'refuse',
    async run({ connect, address }) {
      const socket = connect(address)
      await rejects(socket.opened, FAILED)
      throws(() => new Response(socket.readable), { name: 'TypeError', message: DISTURBED })
    },
  },
  {
    id: 'S-067',
    title: 'an address that may not be reached looks like a refused one',
    peer: 'live',
    async run({ connect }) {
      // The broadcast address: denied where there is a rule, without a route where there is none.
      const socket = connect('255.255.255.255:9')
      const writing = socket.writable.getWriter().write(bytes('x'))
      await Promise.all([
        rejects(socket.opened, FAILED, 'opened'),
        rejects(socket.closed, FAILED, 'closed'),
        rejects(writing, WRITE_FAILED, 'the write'),
      ])
    },
  },
  {
    id: 'S-068',
    title: 'a connection that was refused does not keep the next one from opening',
    peer: 'live',
    async run(t) {
      for (let turn = 0; turn < 5; turn += 1) await rejects(t.connect('127.0.0.1:0').opened, FAILED)
      const socket = await t.open()
      await t.peer.accepted()
      equal(socket.upgraded, false)
    },
  },
]
