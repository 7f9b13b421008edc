import type { Case } from '../case.ts'
import { SPAN, tunnelCase } from './tunnel-case.ts'

function bulkCase(streams: number): Case {
  return tunnelCase({
    name: `tunnel-bulk-${streams}`,
    summary: `bytes from the target to the client over ${streams === 1 ? 'one connection' : `${streams} connections`}`,
    unit: 'MB/s',
    service: 'source',
    measure: (load, port) => load.call('bulk', { ...SPAN, port, streams }),
  })
}

export const tunnelBulk: readonly Case[] = [bulkCase(1), bulkCase(8)]
