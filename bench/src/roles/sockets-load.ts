import { countOver } from '../load/connections.ts'
import type { Span } from '../load/connections.ts'
import { MESSAGE_BYTES } from '../load/message.ts'
import { LOOPBACK } from '../ports.ts'
import { serveRole } from '../role.ts'

interface Address {
  readonly hostname: string
  readonly port: number
}

/** Adds bytes that have moved; false when it is time to stop. */
type Count = (bytes: number) => boolean

/** What a program does with sockets, whichever kind. Each rejects when the connection fails. */
export interface SocketsLoad {
  /** Reads until told to stop. */
  receive(address: Address, count: Count): Promise<void>
  /** Writes the chunk again and again until told to stop. */
  send(address: Address, chunk: Uint8Array, count: Count): Promise<void>
  /** Connects, sends, reads a reply of so many bytes, closes. */
  exchange(address: Address, request: Uint8Array, replyBytes: number): Promise<void>
}

interface PortSpan extends Span {
  readonly port: number
}

const CHUNK = new Uint8Array(64 * 1024).fill(0x65)
const REQUEST = new Uint8Array(MESSAGE_BYTES).fill(0x64)
const BYTES_PER_MB = 1e6

/** Runs something that counts until it is told to stop. */
async function rate(span: Span, start: (count: Count) => Promise<void>): Promise<number> {
  let moved = 0
  let running = true
  const work = start((amount) => {
    moved += amount
    return running
  })
  const failed = work.then((): never => {
    throw new Error('the load ended by itself')
  })
  failed.catch(() => {})
  try {
    return await countOver(span, failed, () => moved)
  } finally {
    running = false
    await work.catch(() => {})
  }
}

function operationsOf(load: SocketsLoad) {
  const at = (port: number): Address => ({ hostname: LOOPBACK, port })
  return {
    /** From a `source` service; megabytes a second. */
    receive: async ({ port, ...span }: PortSpan) =>
      (await rate(span, (count) => load.receive(at(port), count))) / BYTES_PER_MB,
    /** To a `sink` service; megabytes a second. */
    send: async ({ port, ...span }: PortSpan) =>
      (await rate(span, (count) => load.send(at(port), CHUNK, count))) / BYTES_PER_MB,
    /** With an `echo` service, one connection after the other; connections a second. */
    connect: ({ port, ...span }: PortSpan) =>
      rate(span, async (count) => {
        do await load.exchange(at(port), REQUEST, MESSAGE_BYTES)
        while (count(1))
      }),
  }
}
export type SocketsLoadOperations = ReturnType<typeof operationsOf>

/** Makes this process the role of a program with such sockets. */
export function serveSocketsLoad(load: SocketsLoad): void {
  serveRole(operationsOf(load))
}
