import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { median } from '../stats.ts'
import { MESSAGE_BYTES } from './message.ts'

export interface IdleLoad {
  /** Where an `echo` service can be reached. */
  readonly port: number
  readonly streams: number
}

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x65)
/** Opened at once: gentle enough for any peer's backlog. */
const BATCH = 50
/** A prime: rounds over any number of connections come past all of them. */
const STRIDE = 7_919
const MICROSECONDS = 1_000

/** Connections that were each used once and are then left alone until {@link IdleConnections.release}. */
export class IdleConnections {
  readonly #sockets: Socket[] = []

  /** Opens `streams` more, with one exchange on each, which proves that they lead all the way. */
  async hold(load: IdleLoad): Promise<number> {
    for (let left = load.streams; left > 0; left -= BATCH) {
      await Promise.all(Array.from({ length: Math.min(BATCH, left) }, () => this.#open(load.port)))
    }
    return this.#sockets.filter((socket) => !socket.closed).length
  }

  /**
   * Exchanges one message after the other, each on another of the connections, far from the last one, as traffic after
   * silence comes. Gives the median in microseconds.
   */
  async exchangeEach(exchanges: number): Promise<number> {
    const samples: number[] = []
    for (let done = 0; done < exchanges; done += 1) {
      const socket = this.#sockets[(done * STRIDE) % this.#sockets.length]
      if (socket === undefined) throw new Error('there are no connections')
      const sentAt = performance.now()
      await exchangeOn(socket)
      samples.push((performance.now() - sentAt) * MICROSECONDS)
    }
    return median(samples)
  }

  async release(): Promise<void> {
    for (const socket of this.#sockets.splice(0)) {
      if (socket.closed) continue
      socket.destroy()
      await once(socket, 'close')
    }
  }

  async #open(port: number): Promise<void> {
    const socket = connect({ port, host: LOOPBACK, noDelay: true })
    this.#sockets.push(socket)
    await exchangeOn(socket)
    socket.on('error', () => {}) // counted by hold(), if it matters still
    socket.resume()
  }
}

/** Sends one message and reads one. @throws {Error} if the connection fails or ends first */
async function exchangeOn(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const closed = (): void => reject(new Error('a connection ended early'))
  let received = 0
  const read = (chunk: Buffer): void => {
    received += chunk.length
    if (received >= MESSAGE_BYTES) resolve()
  }
  socket.on('data', read).once('error', reject).once('close', closed)
  socket.write(REQUEST)
  try {
    await promise
  } finally {
    socket.off('data', read).off('error', reject).off('close', closed)
  }
}
