import type { Case } from '../case.ts'
import { socketsCase } from './sockets-case.ts'

export const socketsConnect: Case = socketsCase({
  name: 'sockets-connect',
  summary: 'connections of @hawser/sockets that are opened, used for one exchange and closed, one after the other',
  unit: 'connections/s',
  service: 'echo',
  operation: 'connect',
})
