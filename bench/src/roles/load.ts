/** The load generator of every side, in a process of its own. */
import { bulk } from '../load/bulk.ts'
import { exchange } from '../load/exchange.ts'
import { http, probe } from '../load/http.ts'
import { IdleConnections } from '../load/idle.ts'
import type { IdleLoad } from '../load/idle.ts'
import { latency } from '../load/latency.ts'
import { reconnect } from '../load/reconnect.ts'
import { StalledConnection } from '../load/stalled.ts'
import { serveRole } from '../role.ts'

const idle = new IdleConnections()
const stalled = new StalledConnection()

const operations = {
  bulk,
  exchange,
  reconnect,
  latency,
  http,
  probe,
  hold: (load: IdleLoad) => idle.hold(load),
  exchangeEach: (exchanges: number) => idle.exchangeEach(exchanges),
  release: () => idle.release(),
  stall: (port: number) => stalled.open(port),
  unstall: () => stalled.close(),
}
export type LoadOperations = typeof operations

serveRole(operations)
