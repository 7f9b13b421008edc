import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { HawserError, systemCode } from '@hawser/core'

/** The services of the demo's private network. Both listen on loopback only. */
export interface PrivateServices extends AsyncDisposable {
  readonly databasePort: number
  readonly inventoryPort: number
}

const HOST = '127.0.0.1'
/** PGlite runs one query at a time; connections beyond this wait in it. */
const DATABASE_CONNECTIONS = 32

const SCHEMA = `
  CREATE TABLE ships (name text PRIMARY KEY, berth int NOT NULL, tons int NOT NULL);
  INSERT INTO ships VALUES ('Cutty Sark', 1, 963), ('Preussen', 2, 5081), ('Vasa', 3, 1210);
`

const STORES = [
  { item: 'hawser, 120 m', quantity: 12 },
  { item: 'fender', quantity: 240 },
  { item: 'shackle', quantity: 1024 },
]

async function startDatabase(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const database = await PGlite.create()
  await database.exec(SCHEMA)
  const server = new PGLiteSocketServer({ db: database, host: HOST, port, maxConnections: DATABASE_CONNECTIONS })
  await server.start()
  const bound = Number(server.getServerConn().split(':').at(-1))
  const close = async (): Promise<void> => {
    await server.stop()
    await database.close()
  }
  return { port: bound, close }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => resolve((server.address() as AddressInfo).port))
  })
}

async function startInventory(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const found = request.url === '/stores'
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ? STORES : { error: 'not found' }))
  })
  const bound = await listen(server, port)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: bound, close }
}

/** Starts a service on the port it likes best, or on any free one when that is taken. */
async function onPreferredPort<T>(preferred: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(preferred)
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') throw HawserError.from(error, 'listen_failed')
    return await start(0)
  }
}

/**
 * A PostgreSQL (PGlite behind its socket server) with a small table, and an HTTP API.
 *
 * @param preferred the ports to try first; 0 for any
 */
export async function startPrivateServices(preferred: {
  database: number
  inventory: number
}): Promise<PrivateServices> {
  await using opening = new AsyncDisposableStack()
  const database = await onPreferredPort(preferred.database, startDatabase)
  opening.defer(() => database.close())
  const inventory = await onPreferredPort(preferred.inventory, startInventory)
  opening.defer(() => inventory.close())
  const owned = opening.move()
  return {
    databasePort: database.port,
    inventoryPort: inventory.port,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
