import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import type { NewService } from './services.ts'

async function open(t: TestContext): Promise<{ directory: Directory; tunnelId: string }> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const { id } = await directory.tunnels.create({ name: 'office' })
  return { directory, tunnelId: id }
}

test('a service is found by id and by name as it was made, and gone once deleted', async (t) => {
  const { directory, tunnelId } = await open(t)
  const made = await directory.services.create({
    name: 'orders',
    type: 'tcp',
    tunnelId,
    host: 'DB.internal',
    tcpPort: 5432,
    verify: 'verify_ca',
  })
  const { id, createdAt, ...rest } = made
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT/)
  const ports = { httpPort: undefined, httpsPort: undefined, tcpPort: 5432 }
  const none = { otherHost: undefined, resolverIps: [], appProtocol: undefined, updatedAt: createdAt }
  assert.deepEqual(rest, {
    name: 'orders',
    type: 'tcp',
    tunnelId,
    host: 'db.internal',
    ...ports,
    ...none,
    verify: 'verify_ca',
  })
  assert.deepEqual(await directory.services.find(id), made)
  assert.deepEqual(await directory.services.find('orders'), made)
  assert.deepEqual(await directory.services.list(), [made])
  await directory.services.delete(id)
  assert.equal(await directory.services.find(id), undefined)
  await assert.rejects(directory.services.delete(id), { code: 'not_found' })
})

test('without ports a service of type http has 80 and 443, and with one that one alone', async (t) => {
  const { directory, tunnelId } = await open(t)
  const ports = async (given: Partial<NewService>): Promise<unknown[]> => {
    const name = JSON.stringify(given)
    const made = await directory.services.create({ name, type: 'http', tunnelId, host: '10.0.0.1', ...given })
    assert.equal(made.verify, 'verify_full')
    return [made.httpPort, made.httpsPort, made.tcpPort]
  }
  assert.deepEqual(await ports({}), [80, 443, undefined])
  assert.deepEqual(await ports({ httpPort: 8080 }), [8080, undefined, undefined])
  assert.deepEqual(await ports({ httpsPort: 8443 }), [undefined, 8443, undefined])
  assert.deepEqual(await ports({ httpPort: 1, httpsPort: 65_535 }), [1, 65_535, undefined])
})

test('a name that is the id of another service does not hide that one', async (t) => {
  const { directory, tunnelId } = await open(t)
  const one = await directory.services.create({ name: 'one', type: 'http', tunnelId, host: 'a' })
  await directory.services.create({ name: one.id, type: 'http', tunnelId, host: 'b' })
  assert.deepEqual(await directory.services.find(one.id), one)
})

test('what is wrong is named', async (t) => {
  const { directory, tunnelId } = await open(t)
  const good = { name: 'x', type: 'http', tunnelId, host: 'db.internal' } as const
  for (const [bad, message] of [
    [{ name: '' }, /^service name: must not be empty/],
    [{ type: 'udp' as never }, /^type: expected http or tcp, got "udp"/],
    [{ verify: 'maybe' as never }, /^verify: expected verify_full, verify_ca, disabled, got "maybe"/],
    [{ type: 'tcp' }, /^tcpPort: expected a port of 1 to 65535/],
    [{ type: 'tcp', tcpPort: 1, httpPort: 80 }, /^httpPort: expected none/],
    [{ tcpPort: 5432 }, /^tcpPort: expected none/],
    ...[0, -1, 1.5, 65_536, Number.NaN].map((port) => [{ httpPort: port }, /^httpPort: expected a port/] as const),
    ...['', 'http://db', 'db:80', '[::1]', 'a b', 'db/x', '-db', 'x'.repeat(254)].map(
      (host) => [{ host }, /^host: expected a host name or an IP address/] as const,
    ),
  ] as const) {
    await assert.rejects(directory.services.create({ ...good, ...bad }), { code: 'options_invalid', message })
  }
  for (const host of ['db', 'db_1.internal', '10.0.0.1', 'fd00::1', '::1']) {
    assert.equal((await directory.services.create({ ...good, name: host, host })).host, host)
  }
  await assert.rejects(directory.services.create({ ...good, name: 'db' }), { code: 'conflict' })
  await assert.rejects(directory.services.create({ ...good, tunnelId: 'none' }), { code: 'not_found' })
})

test('a service of two addresses, or with resolvers and a protocol of its own, is kept as given', async (t) => {
  const { directory, tunnelId } = await open(t)
  const dual = { name: 'dual', type: 'http', tunnelId, host: '10.0.0.1', otherHost: 'fd00::1' } as const
  assert.equal((await directory.services.create(dual)).otherHost, 'fd00::1')
  const resolverIps = ['10.0.0.53', 'fd00::53']
  const named = { name: 'db', type: 'tcp', tunnelId, host: 'db.internal', tcpPort: 5432, resolverIps } as const
  const made = await directory.services.create({ ...named, appProtocol: 'postgresql' })
  assert.deepEqual([made.resolverIps, made.appProtocol], [resolverIps, 'postgresql'])
  assert.deepEqual(await directory.services.find('db'), made)
  for (const [bad, field] of [
    [{ ...dual, otherHost: '10.0.0.2' }, 'otherHost'],
    [{ ...dual, host: 'db.internal' }, 'otherHost'],
    [{ ...dual, otherHost: undefined, resolverIps }, 'resolverIps'],
    [{ ...named, resolverIps: ['10.0.0.53', 'dns.internal'] }, 'resolverIps'],
    [{ ...named, resolverIps: Array<string>(9).fill('10.0.0.53') }, 'resolverIps'],
    [{ ...named, appProtocol: 'redis' as never }, 'appProtocol'],
    [{ ...dual, appProtocol: 'mysql' as const }, 'appProtocol'],
  ] as const) {
    const message = new RegExp(`^${field}: expected `)
    await assert.rejects(directory.services.create({ ...bad, name: 'bad' }), { code: 'options_invalid', message })
  }
})

test('another description takes the place of the whole one', async (t) => {
  const { directory, tunnelId } = await open(t)
  const resolverIps = ['10.0.0.53']
  const before = await directory.services.create({
    name: 'db',
    type: 'tcp',
    tunnelId,
    host: 'db',
    tcpPort: 1,
    resolverIps,
  })
  await directory.services.create({ name: 'api', type: 'http', tunnelId, host: 'api' })
  const after = await directory.services.replace(before.id, { name: 'db 2', type: 'http', tunnelId, host: 'web' })
  assert.deepEqual([after.id, after.createdAt], [before.id, before.createdAt])
  assert.deepEqual([after.name, after.host, after.httpPort, after.tcpPort], ['db 2', 'web', 80, undefined])
  assert.deepEqual(after.resolverIps, [])
  assert.ok(after.updatedAt >= before.updatedAt)
  assert.deepEqual(await directory.services.find(before.id), after)
  const wanted = { name: 'api', type: 'http', tunnelId, host: 'web' } as const
  await assert.rejects(directory.services.replace(before.id, wanted), { code: 'conflict' })
  await assert.rejects(directory.services.replace('none', { ...wanted, name: 'x' }), { code: 'not_found' })
})
