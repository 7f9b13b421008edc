import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { SqlClientStore } from './clients.ts'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import { migrate } from './engine.ts'
import { RoutingChanges } from './routing-changes.ts'
import { SecretBox } from './secret-box.ts'
import { openSqlite } from './sqlite.ts'
import { SqlTunnelStore } from './tunnels.ts'

async function open(t: TestContext): Promise<{ directory: Directory; tunnelId: string }> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id } = await directory.tunnels.create({ name: 'office' })
  return { directory, tunnelId: id }
}

test('a client has what it was granted, each once, and is found by id and by name', async (t) => {
  const { directory, tunnelId } = await open(t)
  const service = await directory.services.create({ name: 's', type: 'http', tunnelId, host: 'a' })
  const made = await directory.clients.create({
    name: 'batch',
    networks: [tunnelId, tunnelId],
    services: [service.id, service.id],
  })
  assert.deepEqual(made.networks, [tunnelId])
  assert.deepEqual(made.services, [service.id])
  assert.deepEqual(await directory.clients.find(made.id), made)
  assert.deepEqual(await directory.clients.find('batch'), made)
  assert.deepEqual(await directory.clients.list(), [made])
  assert.equal(await directory.clients.find('other'), undefined)
})

test('each client has a secret of its own, the same each time, until it is deleted with its grants', async (t) => {
  const { directory, tunnelId } = await open(t)
  const one = await directory.clients.create({ name: 'one', networks: [tunnelId] })
  const two = await directory.clients.create({ name: 'two', networks: [tunnelId] })
  const secret = (await directory.clients.secretOf(one.id))?.reveal() ?? ''
  assert.equal(Buffer.from(secret, 'base64').length, 32)
  assert.equal((await directory.clients.secretOf(one.id))?.reveal(), secret)
  assert.notEqual((await directory.clients.secretOf(two.id))?.reveal(), secret)
  assert.equal(await directory.clients.secretOf('two'), undefined)
  await directory.clients.delete(one.id)
  assert.equal(await directory.clients.secretOf(one.id), undefined)
  await assert.rejects(directory.clients.delete(one.id), { code: 'not_found' })
  assert.deepEqual(await directory.clients.list(), [two])
  assert.deepEqual((await directory.clients.create({ name: 'one', networks: [tunnelId] })).networks, [tunnelId])
})

test('what is stored of a secret does not hold it, and opens under its own client alone', async (t) => {
  assertNoLeaks(t)
  const engine = await openSqlite(':memory:')
  t.after(() => engine.close())
  await migrate(engine.db)
  const box = new SecretBox(Buffer.alloc(32, 1))
  const clients = new SqlClientStore(engine, box)
  const tunnel = await new SqlTunnelStore(engine, box, new RoutingChanges(engine)).create({ name: 'office' })
  const [one, two] = [
    await clients.create({ name: 'one', networks: [tunnel.id] }),
    await clients.create({ name: 'two', networks: [tunnel.id] }),
  ]
  const secret = (await clients.secretOf(one.id))?.reveal() ?? ''
  const rows = await engine.db.selectFrom('clients').selectAll().execute()
  assert.ok(!JSON.stringify(rows).includes(secret))
  const sealed = rows.find(({ id }) => id === one.id)?.sealed_secret ?? ''
  await engine.db.updateTable('clients').set({ sealed_secret: sealed }).where('id', '=', two.id).execute()
  await assert.rejects(clients.secretOf(two.id), { code: 'storage_failed' })
})

test('what is wrong is named, and leaves nothing behind', async (t) => {
  const { directory, tunnelId } = await open(t)
  const gone = await directory.tunnels.create({ name: 'gone' })
  await directory.tunnels.delete(gone.id)
  const create = (client: object): Promise<unknown> => directory.clients.create({ name: 'x', ...client })
  await assert.rejects(create({ name: '', networks: [tunnelId] }), { code: 'options_invalid', message: /^client name/ })
  await assert.rejects(create({}), { code: 'options_invalid', message: /^networks: / })
  await assert.rejects(create({ networks: [tunnelId, gone.id] }), { code: 'not_found', message: /no tunnel/ })
  await assert.rejects(create({ services: ['x'] }), { code: 'not_found', message: /no service/ })
  assert.deepEqual(await directory.clients.list(), [])
  await create({ networks: [tunnelId] })
  await assert.rejects(create({ networks: [tunnelId] }), { code: 'conflict', message: /"x" exists already/ })
})
