/** The load generator of the TLS cases: one connection after the other, so that what each step takes adds up. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { formatAuthority } from '@hawser/core/authority'
import { countOver } from '../load/connections.ts'
import type { Span } from '../load/connections.ts'
import { MESSAGE_BYTES } from '../load/message.ts'
import { LOOPBACK } from '../ports.ts'
import { serveRole } from '../role.ts'
import type { Door } from './hawser-door.ts'

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x64)
const HEAD_END = '\r\n\r\n'
const MICROSECONDS = 1e6

/** The target itself, without anything in between. */
export interface DirectLoad extends Span {
  readonly port: number
  /** Speak TLS, trusting this CA. */
  readonly caPem?: string | undefined
  readonly sessions: boolean
}

/** The target through an edge, a tunnel and a connector. */
export interface DoorLoad extends Span {
  readonly door: Door
  readonly port: number
  /** Whether the edge is to speak TLS with the target. */
  readonly secure: boolean
  /** Speak TLS with the target through the flow, trusting this CA, where the edge does not. */
  readonly caPem?: string | undefined
  readonly sessions: boolean
}

/** Microseconds that one connection took, on average. */
async function timeEach(span: Span, once: () => Promise<void>): Promise<number> {
  let done = 0
  let running = true
  const loop = (async (): Promise<never> => {
    while (running) {
      await once()
      done += 1
    }
    throw new Error('the load ended by itself')
  })()
  loop.catch(() => {})
  try {
    return MICROSECONDS / (await countOver(span, loop, () => done))
  } finally {
    running = false
    await loop.catch(() => {})
  }
}

/** Sends one message when `ready`, reads one, ends, and waits for the other side's end. @throws {Error} if any of it fails */
function exchangeOnce(socket: Socket, ready: (send: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0
    let failure: Error | undefined
    ready(() => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received >= MESSAGE_BYTES) socket.end()
      })
      socket.write(REQUEST)
    })
    socket.on('error', (error) => (failure = error))
    socket.once('close', () => {
      if (failure === undefined && received === MESSAGE_BYTES) resolve()
      else reject(failure ?? new Error(`a reply of ${received} bytes, expected ${MESSAGE_BYTES}`))
    })
  })
}

/** A client of node:tls that keeps the last session it was given. */
class TlsClient {
  resumed = 0
  readonly #context: SecureContext
  readonly #sessions: boolean
  #session: Buffer | undefined

  constructor(sessions: boolean, caPem: string) {
    this.#context = createSecureContext({ ca: caPem })
    this.#sessions = sessions
  }

  /** Begins a handshake over `way`: a port of the target, or a connection that leads there. */
  connect(way: { readonly port: number } | { readonly socket: Socket }): Socket {
    const session = this.#sessions ? this.#session : undefined
    const socket = connectTls({ host: LOOPBACK, ...way, secureContext: this.#context, session })
    socket.setNoDelay(true)
    socket.on('session', (given: Buffer) => (this.#session = given))
    socket.once('secureConnect', () => {
      if (socket.isSessionReused()) this.resumed += 1
    })
    return socket
  }
}

let calls = 0

/** One CONNECT, as the runtime module in workerd writes it; `opened` gets the connection once it leads to the target. */
function openFlow({ door, port, secure }: DoorLoad, opened: () => void): Socket {
  const id = `bench${(calls += 1)}`
  const operation = secure ? 's' : 'c'
  const authority = formatAuthority({ host: LOOPBACK, operation, id, capability: door.capability, port })
  const socket = connect({ port: door.port, host: LOOPBACK, noDelay: true })
  socket.write(`CONNECT ${authority ?? ''} HTTP/1.1${HEAD_END}`)
  let head = ''
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1')
    if (!head.includes(HEAD_END)) return
    socket.off('data', onData)
    if (head.startsWith('HTTP/1.1 200')) opened()
    else socket.destroy(new Error(head))
  }
  socket.on('data', onData)
  return socket
}

function throughDoor(load: DoorLoad): Promise<void> {
  const opened = Promise.withResolvers<void>()
  const socket = openFlow(load, () => opened.resolve())
  return exchangeOnce(socket, (send) => void opened.promise.then(send))
}

/** The edge carries bytes, and does not know that they are TLS. */
function tlsThroughDoor(load: DoorLoad, client: TlsClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = openFlow(load, () => {
      socket.off('close', failed)
      const secure = client.connect({ socket })
      exchangeOnce(secure, (send) => secure.once('secureConnect', send)).then(resolve, reject)
    })
    const failed = (): void => reject(new Error('the edge refused the connection'))
    socket.once('error', reject)
    socket.once('close', failed)
  })
}

const operations = {
  /** Gives microseconds a connection, and how many connections resumed a session. */
  async direct(load: DirectLoad): Promise<{ readonly micros: number; readonly resumed: number }> {
    if (load.caPem === undefined) {
      const once = (): Promise<void> => {
        const socket = connect({ port: load.port, host: LOOPBACK, noDelay: true })
        return exchangeOnce(socket, (send) => socket.once('connect', send))
      }
      return { micros: await timeEach(load, once), resumed: 0 }
    }
    const client = new TlsClient(load.sessions, load.caPem)
    const once = (): Promise<void> => {
      const socket = client.connect({ port: load.port })
      return exchangeOnce(socket, (send) => socket.once('secureConnect', send))
    }
    return { micros: await timeEach(load, once), resumed: client.resumed }
  },
  /** Gives microseconds a connection. */
  door(load: DoorLoad): Promise<number> {
    if (load.caPem === undefined) return timeEach(load, () => throughDoor(load))
    const client = new TlsClient(load.sessions, load.caPem)
    return timeEach(load, () => tlsThroughDoor(load, client))
  },
}
export type TlsLoadOperations = typeof operations

serveRole(operations)
