import { behaviour, describe, pair, thrown } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'

const ATTRIBUTES = ['readable', 'writable', 'closed', 'opened', 'upgraded', 'secureTransport'] as const

/** S-001 to S-008: what kind of thing `connect` and a socket are. */
export const SHAPE: readonly Behaviour[] = [
  behaviour('S-002 connect takes two arguments', ({ connect }) => connect.length, 2),
  behaviour(
    'S-002 connect works with new as well',
    async (h) => {
      const peer = await h.peer()
      const construct = h.connect as unknown as new (address: string) => object
      return Object.prototype.toString.call(new construct(peer.address))
    },
    '[object Socket]',
  ),
  behaviour(
    'S-003 sockets cannot be made by hand',
    async (h) => {
      const { socket } = await pair(h)
      const { constructor } = socket
      return thrown(() => Reflect.construct(constructor, []))
    },
    'TypeError: Illegal constructor',
  ),
  behaviour(
    'S-003 a socket says of itself that it is one',
    async (h) => Object.prototype.toString.call((await pair(h)).socket),
    '[object Socket]',
  ),
  behaviour(
    'S-004 the attributes are enumerable getters of the prototype that cannot be set',
    async (h) => {
      const prototype: object = Object.getPrototypeOf((await pair(h)).socket)
      return ATTRIBUTES.every((name) => {
        const property = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
        const getter = 'get' in property && property.set === undefined
        return getter && property.enumerable === true && property.configurable === true
      })
    },
    true,
  ),
  behaviour(
    'S-004 close and startTls are methods of the prototype without formal parameters',
    async (h) => {
      const { socket } = await pair(h)
      return [socket.close.length, socket.startTls.length]
    },
    [0, 0],
  ),
  behaviour(
    'S-004 a socket has no properties of its own and is an empty object as JSON',
    async (h) => {
      const { socket } = await pair(h)
      return [Object.getOwnPropertyNames(socket), JSON.stringify(socket)]
    },
    [[], '{}'],
  ),
  behaviour(
    'S-004 a socket cannot be disposed of by using',
    async (h) => {
      const { socket } = await pair(h)
      return [Symbol.dispose in socket, Symbol.asyncDispose in socket]
    },
    [false, false],
  ),
  behaviour(
    'S-005 every attribute is the same object each time',
    async (h) => {
      const { socket } = await pair(h)
      return ATTRIBUTES.filter((name) => socket[name] !== socket[name])
    },
    [],
  ),
  behaviour(
    'S-006 awaiting a socket gives the socket at once, connected or not',
    async (h) => {
      const socket = h.connect(`127.0.0.1:${await h.refused()}`)
      // oxlint-disable-next-line typescript/await-thenable -- that it is none is the point
      return (await socket) === socket
    },
    true,
  ),
  behaviour(
    'S-007 a socket cannot be cloned',
    async (h) => {
      const { socket } = await pair(h)
      try {
        structuredClone(socket)
      } catch (error) {
        return error instanceof DOMException ? [error.name, error.code] : describe(error)
      }
      return 'cloned'
    },
    ['DataCloneError', 25],
  ),
  behaviour(
    'S-008 a new socket is not upgraded and says off',
    async (h) => {
      const { socket } = await pair(h)
      return [socket.upgraded, socket.secureTransport]
    },
    [false, 'off'],
  ),
  behaviour(
    'S-008 secureTransport is what was asked for',
    async (h) => {
      const peer = await h.peer()
      return [
        h.connect(peer.address, { secureTransport: 'starttls' }).secureTransport,
        h.connect(peer.address, { secureTransport: 'on' }).secureTransport,
      ]
    },
    ['starttls', 'on'],
  ),
]
