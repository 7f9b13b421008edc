import { connect } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { countOver } from './connections.ts'
import type { Span } from './connections.ts'
import { MESSAGE_BYTES } from './message.ts'

export interface ReconnectLoad extends Span {
  /** Where an `echo` service can be reached. */
  readonly port: number
  /** Connections under way at any moment. */
  readonly concurrency: number
}

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x64)

/**
 * Connects, sends one message, reads one, ends, and waits for the other side's end, as a client of a database would. A
 * service that ends first is not the same load: `ssh -L` then waits for delayed acknowledgements and does a tenth of it.
 *
 * @throws {Error} if any of it fails
 */
function oneConnection(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0
    let failure: Error | undefined
    const socket = connect({ port, host: LOOPBACK, noDelay: true })
    socket.write(REQUEST) // sent as soon as the connection is there
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received >= MESSAGE_BYTES) socket.end()
    })
    socket.on('error', (error) => (failure = error))
    socket.once('close', () => {
      if (failure === undefined && received === MESSAGE_BYTES) resolve()
      else reject(failure ?? new Error(`a reply of ${received} bytes, expected ${MESSAGE_BYTES}`))
    })
  })
}

/** Opens, uses and closes connections, `concurrency` at a time. Gives connections a second. */
export async function reconnect(load: ReconnectLoad): Promise<number> {
  let done = 0
  let running = true
  const loop = async (): Promise<void> => {
    while (running) {
      await oneConnection(load.port)
      done += 1
    }
  }
  const loops = Promise.all(Array.from({ length: load.concurrency }, loop))
  const failed = loops.then((): never => {
    throw new Error('the load ended by itself')
  })
  failed.catch(() => {})
  try {
    return await countOver(load, failed, () => done)
  } finally {
    running = false
    await loops.catch(() => {})
  }
}
