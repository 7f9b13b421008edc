import type { Case } from '../case.ts'
import { dev } from './dev.ts'
import { idle10000 } from './idle-10000.ts'
import { latency } from './latency.ts'
import { memoryIdle } from './memory-idle.ts'
import { routes } from './routes.ts'
import { slowReader } from './slow-reader.ts'
import { socketsBulk } from './sockets-bulk.ts'
import { socketsConnect } from './sockets-connect.ts'
import { tlsConnect } from './tls-connect.ts'
import { tunnelBulk } from './tunnel-bulk.ts'
import { tunnelConnect } from './tunnel-connect.ts'
import { tunnelExchange } from './tunnel-exchange.ts'
import { worker } from './worker.ts'

/** Every case, in the order in which they run and are listed. */
export const CASES: readonly Case[] = [
  ...tunnelBulk,
  tunnelExchange,
  tunnelConnect,
  latency,
  ...slowReader,
  ...worker,
  ...tlsConnect,
  ...socketsBulk,
  socketsConnect,
  ...memoryIdle,
  ...idle10000,
  ...dev,
  ...routes,
]
