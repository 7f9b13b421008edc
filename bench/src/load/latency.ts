import { connect } from 'node:net'
import { LOOPBACK } from '../ports.ts'
import { median } from '../stats.ts'
import { endAll, opened, runFor } from './connections.ts'
import type { Span } from './connections.ts'
import { MESSAGE_BYTES } from './message.ts'

export interface LatencyLoad extends Span {
  /** Where an `echo` service can be reached. */
  readonly port: number
}

const REQUEST = Buffer.alloc(MESSAGE_BYTES, 0x67)
const BUFFER_BYTES = 4 * 1024
const MICROSECONDS = 1_000

/** One exchange after the other on one connection with nothing beside it. Gives the median of them in microseconds. */
export async function latency(load: LatencyLoad): Promise<number> {
  const samples: number[] = []
  let received = 0
  let sentAt = 0
  const ask = (): void => {
    sentAt = performance.now()
    connection.socket.write(REQUEST)
  }
  const callback = (bytes: number): boolean => {
    received += bytes
    if (received < MESSAGE_BYTES) return true
    received = 0
    samples.push((performance.now() - sentAt) * MICROSECONDS)
    ask()
    return true
  }
  const onread = { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), callback }
  const connection = opened(connect({ port: load.port, host: LOOPBACK, onread }))
  try {
    await connection.ready
    ask()
    await runFor(load.rampMs, connection.failed)
    samples.length = 0
    await runFor(load.countMs, connection.failed)
    if (samples.length === 0) throw new Error('nothing came through')
    return median(samples)
  } finally {
    await endAll([connection])
  }
}
