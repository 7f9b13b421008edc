import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { LOOPBACK } from '../ports.ts'

/** A connection to a `source` service whose reader has stopped: everything on the way to it fills up. */
export class StalledConnection {
  #socket: Socket | undefined

  async open(port: number): Promise<void> {
    const socket = connect({ port, host: LOOPBACK }) // nobody listens for data: once its buffer is full it reads no more
    this.#socket = socket
    await once(socket, 'readable')
    socket.on('error', () => {}) // close() says so
  }

  /** @throws {Error} if the connection ended by itself, and so held nothing up */
  async close(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined || socket.closed) throw new Error('the stalled connection ended early')
    socket.destroy()
    await once(socket, 'close')
  }
}
