/** The load generator of every side, in a process of its own. */
import { bulk } from '../load/bulk.ts'
import { exchange } from '../load/exchange.ts'
import { http, probe } from '../load/http.ts'
import { IdleConnections } from '../load/idle.ts'
import type { IdleLoad } from '../load/idle.ts'
import { reconnect } from '../load/reconnect.ts'
import { serveRole } from '../role.ts'

const idle = new IdleConnections()

const operations = {
  bulk,
  exchange,
  reconnect,
  http,
  probe,
  hold: (load: IdleLoad) => idle.hold(load),
  release: () => idle.release(),
}
export type LoadOperations = typeof operations

serveRole(operations)
