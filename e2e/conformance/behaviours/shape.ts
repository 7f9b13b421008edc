import { deepEqual, equal, ok, throws } from '../support/assert.ts'
import type { Behaviour } from '../support/behaviour.ts'
import type { Socket } from '../support/socket.ts'

const GETTERS = ['readable', 'writable', 'closed', 'opened', 'upgraded', 'secureTransport'] as const
const METHODS = ['close', 'startTls'] as const

function prototypeDescriptor(socket: Socket, name: string): PropertyDescriptor {
  const prototype = Object.getPrototypeOf(socket) as object
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
  ok(descriptor, `the prototype has no ${name}`)
  return descriptor
}

/** What the function and its objects look like (reference, section 1). */
export const shape: readonly Behaviour[] = [
  {
    id: 'S-002a',
    title: 'connect takes two parameters',
    peer: 'live',
    async run({ connect }) {
      equal(typeof connect, 'function')
      equal(connect.length, 2)
    },
  },
  {
    id: 'S-002b',
    title: 'new connect() gives a Socket too',
    peer: 'live',
    async run({ connect, address }) {
      const make = connect as unknown as new (address: unknown) => Socket
      const socket = new make(address)
      await socket.opened
      equal(Object.prototype.toString.call(socket), '[object Socket]')
    },
  },
  {
    id: 'S-003a',
    title: 'there is no global Socket, and a socket calls itself one',
    peer: 'live',
    binding: true,
    async run(t) {
      equal('Socket' in globalThis, false)
      equal(Object.prototype.toString.call(await t.open()), '[object Socket]')
    },
  },
  {
    id: 'S-003b',
    title: 'the constructor of a socket cannot be called',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      const make = socket.constructor as new () => unknown
      throws(() => new make(), { name: 'TypeError', message: 'Illegal constructor' })
    },
  },
  {
    id: 'S-004a',
    title: 'the six attributes are enumerable, configurable prototype getters without a setter',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      for (const name of GETTERS) {
        const descriptor = prototypeDescriptor(socket, name)
        equal(typeof descriptor.get, 'function', name)
        equal(typeof descriptor.set, 'undefined', `setter of ${name}`)
        equal(descriptor.enumerable, true, `${name} is enumerable`)
        equal(descriptor.configurable, true, `${name} is configurable`)
      }
    },
  },
  {
    id: 'S-004b',
    title: 'close and startTls are prototype methods of length 0',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      for (const name of METHODS) {
        const method = prototypeDescriptor(socket, name).value as unknown
        ok(typeof method === 'function', `${name} is a method`)
        equal(method.length, 0, `length of ${name}`)
      }
    },
  },
  {
    id: 'S-004c',
    title: 'a socket has no properties of its own and serializes to {}',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      deepEqual(Reflect.ownKeys(socket).map(String), [])
      equal(JSON.stringify(socket), '{}')
    },
  },
  {
    id: 'S-004d',
    title: 'a socket has no Symbol.dispose and no Symbol.asyncDispose',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      for (const symbol of [Symbol.dispose, Symbol.asyncDispose]) {
        if (symbol !== undefined) equal(symbol in socket, false, String(symbol))
      }
    },
  },
  {
    id: 'S-005',
    title: 'every getter gives the same object each time',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      for (const name of GETTERS) ok(socket[name] === socket[name], name)
    },
  },
  {
    id: 'S-006',
    title: 'a socket is not thenable: awaiting it gives it at once, connected or not',
    peer: 'live',
    async run({ connect, address }) {
      const socket: unknown = connect(address)
      equal('then' in (socket as object), false)
      ok((await Promise.resolve(socket)) === socket, 'awaiting it gives it')
    },
  },
  {
    id: 'S-007',
    title: 'structuredClone of a socket throws DataCloneError',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      throws(() => structuredClone(socket), { name: 'DataCloneError' })
    },
  },
  {
    id: 'S-008',
    title: 'upgraded and secureTransport say what a plain socket is',
    peer: 'live',
    binding: true,
    async run(t) {
      const socket = await t.open()
      equal(socket.upgraded, false)
      equal(socket.secureTransport, 'off')
    },
  },
]
