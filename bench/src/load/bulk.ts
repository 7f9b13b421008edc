import { connect } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { countOver, endAll, opened } from './connections.ts'
import type { Connection, Span } from './connections.ts'

export interface BulkLoad extends Span {
  /** Where a `source` service can be reached. */
  readonly port: number
  readonly streams: number
}

const BUFFER_BYTES = 256 * 1024
const BYTES_PER_MB = 1e6

/** Reads from `streams` connections at once. Gives megabytes (10^6 bytes) a second over all of them. */
export async function bulk(load: BulkLoad): Promise<number> {
  let received = 0
  const callback = (bytes: number): boolean => {
    received += bytes
    return true
  }
  const open: Connection[] = []
  for (let stream = 0; stream < load.streams; stream += 1) {
    // onread: one buffer for all reads and no stream machinery, so that the generator is cheaper than what it measures.
    const onread = { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), callback }
    open.push(opened(connect({ port: load.port, host: LOOPBACK, onread })))
  }
  try {
    await Promise.all(open.map((connection) => connection.ready))
    const failed = Promise.race(open.map((connection) => connection.failed))
    return (await countOver(load, failed, () => received)) / BYTES_PER_MB
  } finally {
    await endAll(open)
  }
}
