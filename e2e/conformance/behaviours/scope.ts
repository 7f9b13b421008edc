import { deepEqual, equal, ok, rejects } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { Socket } from '../support/socket.ts'
import { readSome } from '../support/streams.ts'

const OTHER_REQUEST = { name: 'Error', message: /^Cannot perform I\/O on behalf of a different request\./ } as const

/** Sockets that an act left behind for another invocation, by the peer they lead to. */
const kept = new Map<string, Socket>()

function keptSocket(address: string): Socket {
  const socket = kept.get(address)
  ok(socket, 'the act kept a socket')
  kept.delete(address)
  return socket
}

/** Connects, and leaves the socket where a later invocation finds it. */
const keep: NonNullable<Behaviour['acts']> = {
  async keep(t) {
    kept.set(t.address, await t.open())
  },
}

/** Where sockets may be made and how long they live (reference, section 14). */
export const scope: readonly Behaviour[] = [
  {
    id: 'S-180',
    title: 'connect() while the module is evaluated throws',
    peer: 'live',
    async run({ surroundings: { moduleScopeError } }) {
      ok(moduleScopeError instanceof Error, 'it did not throw')
      equal(moduleScopeError.name, 'Error')
      ok(
        moduleScopeError.message.startsWith('Disallowed operation called within global scope. Asynchronous I/O'),
        moduleScopeError.message,
      )
    },
  },
  {
    id: 'S-181a',
    title: 'a socket of another request cannot be read',
    peer: 'live',
    acts: keep,
    async run(t) {
      await t.invoke('keep')
      const { readable } = keptSocket(t.address)
      const reading = Promise.resolve().then(() => readable.getReader().read())
      // A host without requests has nothing to refuse, and the read would wait for ever.
      await rejects(Promise.race([reading, t.settle()]), OTHER_REQUEST)
    },
  },
  {
    id: 'S-181b',
    title: 'a socket of another request cannot be written to',
    peer: 'live',
    acts: keep,
    async run(t) {
      await t.invoke('keep')
      const { writable } = keptSocket(t.address)
      await rejects(
        Promise.resolve().then(() => writable.getWriter().write('x')),
        OTHER_REQUEST,
      )
    },
  },
  {
    id: 'S-181c',
    title: 'the attributes of a socket of another request can still be read',
    peer: 'live',
    acts: keep,
    async run(t) {
      await t.invoke('keep')
      const socket = keptSocket(t.address)
      equal(socket.upgraded, false)
      equal(socket.secureTransport, 'off')
    },
  },
  {
    id: 'S-182a',
    title: 'the sockets of a request end with it',
    peer: 'live',
    acts: keep,
    async run(t) {
      await t.invoke('keep')
      const { events } = await t.peer.saw('end')
      deepEqual(events.slice(0, 2), ['open', 'end'])
    },
  },
  {
    id: 'S-182b',
    title: 'what was written and awaited before the request ended is delivered',
    peer: 'live',
    acts: {
      async write(t) {
        const socket = await t.open()
        await socket.writable.getWriter().write('last words')
      },
    },
    async run(t) {
      await t.invoke('write')
      equal((await t.peer.received(10)).text, 'last words')
    },
  },
  {
    id: 'S-183',
    title: 'waitUntil() keeps a socket alive after the request has been answered',
    peer: 'live',
    acts: {
      async linger(t) {
        const socket = await t.open()
        const work = async (): Promise<void> => {
          const { text } = await readSome(socket.readable.getReader(), 2)
          await socket.writable.getWriter().write(`got ${text}`)
        }
        t.surroundings.waitUntil(work())
      },
    },
    async run(t) {
      await t.invoke('linger')
      await t.settle()
      await t.peer.send('go')
      equal((await t.peer.received(6)).text, 'got go')
    },
  },
]
