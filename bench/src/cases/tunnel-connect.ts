import type { Case } from '../case.ts'
import { SPAN, tunnelCase } from './tunnel-case.ts'

const CONCURRENCY = 16

export const tunnelConnect: Case = tunnelCase({
  name: 'tunnel-connect',
  summary: `connections that are opened, used for one exchange and closed, ${CONCURRENCY} at a time`,
  unit: 'connections/s',
  service: 'echo',
  measure: (load, port) => load.call('reconnect', { ...SPAN, port, concurrency: CONCURRENCY }),
})
