import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { MESSAGE_BYTES } from './message.ts'

export interface IdleLoad {
  /** Where an `echo` service can be reached. */
  readonly port: number
  readonly streams: number
}

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x65)
/** Opened at once: gentle enough for any peer's backlog. */
const BATCH = 50

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
    socket.write(REQUEST)
    for (let received = 0; received < MESSAGE_BYTES;) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      received += chunk.length
    }
    socket.on('error', () => {}) // counted by hold(), if it matters still
    socket.resume()
  }
}
