import type { Case } from '../case.ts'
import { MESSAGE_BYTES } from '../load/message.ts'
import { SPAN, tunnelCase } from './tunnel-case.ts'

const CLIENTS = 64

export const tunnelExchange: Case = tunnelCase({
  name: `tunnel-exchange-${CLIENTS}`,
  summary: `request and reply of ${MESSAGE_BYTES} bytes on ${CLIENTS} open connections at once`,
  unit: 'exchanges/s',
  service: 'echo',
  measure: (load, port) => load.call('exchange', { ...SPAN, port, clients: CLIENTS }),
})
