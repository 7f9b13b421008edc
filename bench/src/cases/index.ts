import type { Case } from '../case.ts'
import { memoryIdle } from './memory-idle.ts'
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
  ...worker,
  ...tlsConnect,
  ...socketsBulk,
  socketsConnect,
  ...memoryIdle,
]
