import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { apiFixture, codeOf } from '../fixture.ts'
import type { Answered, Fixture } from '../fixture.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

interface Lab extends Fixture {
  readonly tunnelId: string
  readonly path: string
  readonly add: (network: string, more?: object) => Promise<Answered>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const fixture = await apiFixture(t, new CapturedLog())
  const { id: tunnelId } = await fixture.directory.tunnels.create({ name: 'lab' })
  const path = `${fixture.account}/teamnet/routes`
  const add: Lab['add'] = (network, more) => fixture.call('POST', path, { network, tunnel_id: tunnelId, ...more })
  return { ...fixture, tunnelId, path, add }
}

interface Shown {
  readonly id: string
  readonly network: string
  readonly deleted_at: string | null
  readonly virtual_network_id: string
}

function shown({ body }: Answered): Shown {
  assert.equal(body.success, true, JSON.stringify(body.errors))
  return body.result as Shown
}

function networks({ body }: Answered): string[] {
  return (body.result as Shown[]).map(({ network }) => network)
}

test('V-151: a new route has the shape the clients know, and is read back so', async (t) => {
  const { call, path, add, tunnelId, directory } = await open(t)
  const [main] = await directory.virtualNetworks.list()
  const added = await add('10.0.0.0/8', { comment: 'the office', unknown: 1 })
  const { id } = shown(added)
  const { created_at: createdAt } = added.body.result as { created_at: string }
  assert.deepEqual(added.body.result, {
    id,
    network: '10.0.0.0/8',
    tunnel_id: tunnelId,
    tunnel_name: 'lab',
    tun_type: 'cfd_tunnel',
    virtual_network_id: main?.id,
    virtual_network_name: 'default',
    comment: 'the office',
    created_at: createdAt,
    deleted_at: null,
  })
  assert.deepEqual((await call('GET', `${path}/${id.toUpperCase()}`)).body.result, added.body.result)
  assert.deepEqual(networks(await call('GET', path)), ['10.0.0.0/8'])
})

test('what is wrong is told by field and with the code the clients know', async (t) => {
  const { call, path, add, tunnelId } = await open(t)
  const { id } = shown(await add('10.0.0.0/8'))
  const refused = async (answered: Promise<Answered>, code: string, message: RegExp): Promise<void> => {
    const given = await answered
    assert.equal(codeOf(given), code)
    assert.match(given.body.errors[0]?.message ?? '', message)
  }
  await refused(call('POST', path, {}), '400/10400', /^network: .*tunnel_id: /)
  await refused(add('10.0.0.1/8'), '400/10400', /^network: expected an address block/)
  await refused(add('100.96.0.0/24'), '400/10400', /mesh nodes use/)
  await refused(add('10.0.0.0/8'), '409/1014', /there is a route for 10\.0\.0\.0\/8 in that virtual network already/)
  await refused(call('POST', path, { network: '10.1.0.0/16', tunnel_id: 'lab' }), '400/10400', /^tunnel_id: /)
  await refused(call('POST', path, { network: '10.1.0.0/16', tunnel_id: NOBODY }), '404/7003', /no tunnel/)
  await refused(add('10.1.0.0/16', { virtual_network_id: NOBODY }), '404/7003', /no virtual network/)
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? {} : undefined
    await refused(call(method, `${path}/${NOBODY}`, body), '404/7003', /oute/)
    assert.equal(codeOf(await call(method, `${path}/10.0.0.0`, body)), '404/7003')
  }
  await refused(call('PATCH', `${path}/${id}`, { tunnel_id: NOBODY }), '404/7003', /no tunnel/)
  assert.equal(codeOf(await call('PUT', path, {})), '405/10405')
  assert.ok(tunnelId)
})

test('a route is changed in part, and deleted with the date', async (t) => {
  const { call, path, add, directory } = await open(t)
  const { id } = shown(await add('10.0.0.0/8', { comment: 'c' }))
  const other = await directory.virtualNetworks.create({ name: 'site-b' })
  const changed = shown(await call('PATCH', `${path}/${id}`, { network: '10.0.0.0/16', virtual_network_id: other.id }))
  assert.deepEqual([changed.network, changed.virtual_network_id], ['10.0.0.0/16', other.id])
  assert.notEqual(shown(await call('DELETE', `${path}/${id}`)).deleted_at, null)
  assert.notEqual(shown(await call('GET', `${path}/${id}`)).deleted_at, null)
  assert.deepEqual(networks(await call('GET', path)), [])
  assert.deepEqual(networks(await call('GET', `${path}?is_deleted=true`)), ['10.0.0.0/16'])
  assert.equal(codeOf(await call('DELETE', `${path}/${id}`)), '404/7003')
})

test('lists are filtered and paged, and a filter that is not served is refused', async (t) => {
  const { call, path, add, tunnelId, directory } = await open(t)
  const other = await directory.virtualNetworks.create({ name: 'site-b' })
  for (const network of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24']) await add(network)
  await add('fd00::/8', { virtual_network_id: other.id, comment: 'six' })
  const list = async (query: string): Promise<string[]> => networks(await call('GET', `${path}?${query}`))
  assert.deepEqual(await list(`virtual_network_id=${other.id}`), ['fd00::/8'])
  assert.deepEqual(await list('comment=six'), ['fd00::/8'])
  assert.deepEqual(await list(`tunnel_id=${NOBODY}`), [])
  assert.equal((await list(`tunnel_id=${tunnelId}`)).length, 4)
  assert.deepEqual(await list('network_subset=10.1.0.0/16'), ['10.1.0.0/16', '10.1.2.0/24'])
  assert.deepEqual(await list('network_superset=10.1.0.0/16'), ['10.0.0.0/8', '10.1.0.0/16'])
  const page = await call('GET', `${path}?per_page=3&page=2`)
  assert.equal(networks(page).length, 1)
  assert.deepEqual(page.body.result_info, { page: 2, per_page: 3, count: 1, total_count: 4, total_pages: 2 })
  assert.deepEqual(await list('page=9'), [])
  for (const query of ['existed_at=x', 'tun_types=cfd_tunnel', 'is_deleted=1', 'network_subset=x', 'page=0']) {
    assert.equal(codeOf(await call('GET', `${path}?${query}`)), '400/10400', query)
  }
})

test('V-154: the route of an address is the longest, in the network asked for, or in the default one', async (t) => {
  const { call, path, add, directory } = await open(t)
  const other = await directory.virtualNetworks.create({ name: 'site-b' })
  for (const network of ['10.0.0.0/8', '10.1.0.0/16', 'fd00::/8']) await add(network)
  await add('10.1.0.0/24', { virtual_network_id: other.id })
  const best = (ip: string, query = ''): Promise<Answered> => call('GET', `${path}/ip/${ip}${query}`)
  assert.equal(shown(await best('10.1.0.9')).network, '10.1.0.0/16')
  assert.equal(shown(await best('10.9.0.9')).network, '10.0.0.0/8')
  assert.equal(shown(await best('fd12::1')).network, 'fd00::/8')
  const inOther = `?virtual_network_id=${other.id}`
  assert.equal(shown(await best('10.1.0.9', inOther)).network, '10.1.0.0/24')
  assert.equal(codeOf(await best('10.9.0.9', inOther)), '404/7003')
  assert.equal(codeOf(await best('11.0.0.1')), '404/7003')
  for (const ip of ['db', '10.0.0.0%2F8', '10.1']) assert.equal(codeOf(await best(ip)), '400/10400', ip)
})

test('a tunnel that routes lead to is deleted with ?cascade=true alone', async (t) => {
  const { call, account, path, add, tunnelId } = await open(t)
  await add('10.0.0.0/8')
  const refused = await call('DELETE', `${account}/cfd_tunnel/${tunnelId}`)
  assert.equal(codeOf(refused), '400/1022')
  assert.match(refused.body.errors[0]?.message ?? '', /1 route\(s\) lead to tunnel lab\. Delete them first/)
  assert.equal(networks(await call('GET', path)).length, 1)
  assert.equal((await call('DELETE', `${account}/cfd_tunnel/${tunnelId}?cascade=true`)).status, 200)
  assert.deepEqual(networks(await call('GET', path)), [])
})
