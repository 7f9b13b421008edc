/** An unchanged npm driver inside a bundled Worker, talking through the edge. On real workerd. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startTarget } from './test-site.ts'

const LIMIT = { timeout: 30_000 }

/** One message of PostgreSQL's protocol: a type, the length with itself, the body. */
function message(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.write(type, 'latin1')
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const READY = message('Z', Buffer.from('I'))
/** A column `name` of type text, at no table. */
const COLUMN = Buffer.concat([
  Buffer.from('\0\x01name\0', 'latin1'),
  int32(0),
  Buffer.from([0, 0]),
  int32(25),
  Buffer.from([0xff, 0xff]),
  int32(-1),
  Buffer.from([0, 0]),
])

function row(text: string): Buffer {
  return message('D', Buffer.concat([Buffer.from([0, 1]), int32(Buffer.byteLength(text)), Buffer.from(text)]))
}

/** Enough of a PostgreSQL to let anyone in and to answer every query with the query. */
function servePostgres(socket: Socket): void {
  let started = false
  let pending = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 5) {
      const length = started ? pending.readInt32BE(1) + 1 : pending.readInt32BE(0)
      if (pending.length < length) return
      const packet = pending.subarray(0, length)
      pending = pending.subarray(length)
      if (!started) {
        started = true
        socket.write(Buffer.concat([message('R', int32(0)), READY]))
      } else if (packet.toString('latin1', 0, 1) === 'Q') {
        const done = message('C', Buffer.from('SELECT 1\0'))
        socket.write(Buffer.concat([message('T', COLUMN), row(packet.toString('utf8', 5, length - 1)), done, READY]))
      } else if (packet.toString('latin1', 0, 1) === 'X') {
        socket.end()
      }
    }
  })
}

test('pg connects, queries and ends through the global connect()', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using database = await startTarget(servePostgres)
  const source = answering(
    `
    const client = new pg.Client({ host: 'db.internal', port: 5432, user: 'u', database: 'd' })
    await client.connect()
    const { rows } = await client.query('select ' + request.url.length)
    await client.end()
    return rows`,
    `import pg from 'pg'`,
  )
  const config = { compatibility_flags: ['nodejs_compat'] }
  await using site = await startSite(t, { source, config, files: { 'hawser.jsonc': { egress: 'PRIVATE' } } })
  site.edge.routes.set('db.internal:5432', { port: database.port })
  const length = `${site.worker.url}/`.length
  assert.deepEqual(await site.json(), [{ name: `select ${length}` }])
  assert.deepEqual(
    site.edge.calls.map(({ binding, kind, door, target }) => [binding, kind, door, target]),
    [['egress', 'connect', 'tcp', 'db.internal:5432']],
  )
})

test('pg reports a database that cannot be reached as an error', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const client = new pg.Client({ host: 'gone.internal', port: 5432, user: 'u', database: 'd' })
    const failed = new Promise((resolve) => client.on('error', resolve))
    const outcome = await Promise.race([attempt(() => client.connect()), failed])
    return outcome?.message !== undefined`,
    `import pg from 'pg'`,
  )
  await using site = await startSite(t, { source, config: { compatibility_flags: ['nodejs_compat'] } })
  assert.equal(await site.json(), true)
})
