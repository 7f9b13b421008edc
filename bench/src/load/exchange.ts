import { connect } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { countOver, endAll, opened } from './connections.ts'
import type { Connection, Span } from './connections.ts'
import { MESSAGE_BYTES } from './message.ts'

export interface ExchangeLoad extends Span {
  /** Where an `echo` service can be reached. */
  readonly port: number
  readonly clients: number
}

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x63)
const BUFFER_BYTES = 4 * 1024

/** Opens one client whose every reply is followed at once by the next request. */
function startClient(port: number, answered: () => void): Connection {
  let received = 0
  const callback = (bytes: number): boolean => {
    received += bytes
    if (received >= MESSAGE_BYTES) {
      received -= MESSAGE_BYTES
      answered()
      connection.socket.write(REQUEST)
    }
    return true
  }
  const onread = { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), callback }
  const connection = opened(connect({ port, host: LOOPBACK, onread }))
  return connection
}

/** Runs one request at a time on each of `clients` open connections. Gives exchanges a second over all of them. */
export async function exchange(load: ExchangeLoad): Promise<number> {
  let answers = 0
  const clients = Array.from({ length: load.clients }, () => startClient(load.port, () => void (answers += 1)))
  try {
    await Promise.all(clients.map((client) => client.ready))
    const failed = Promise.race(clients.map((client) => client.failed))
    for (const { socket } of clients) socket.write(REQUEST)
    return await countOver(load, failed, () => answers)
  } finally {
    await endAll(clients)
  }
}
