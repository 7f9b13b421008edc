import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { apiFixture, codeOf } from '../fixture.ts'
import type { Answered, Fixture } from '../fixture.ts'

const NOBODY = '00000000-0000-4000-8000-000000000000'

interface Lab extends Fixture {
  readonly tunnel: { readonly tunnel_id: string }
  readonly path: string
  readonly add: (body: object) => Promise<Answered>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const fixture = await apiFixture(t, new CapturedLog())
  const { id } = await fixture.directory.tunnels.create({ name: 'lab' })
  const path = `${fixture.account}/connectivity/directory/services`
  return { ...fixture, path, tunnel: { tunnel_id: id }, add: (body) => fixture.call('POST', path, body) }
}

interface Shown {
  readonly service_id: string
  readonly name: string
  readonly created_at: string
  readonly updated_at: string
  readonly host: { readonly ipv4?: string }
}

function shown({ body }: Answered): Shown {
  assert.equal(body.success, true, JSON.stringify(body.errors))
  return body.result as Shown
}

test("what the vendor's command line sends for an HTTP service comes back as it went in", async (t) => {
  const { call, path, add, tunnel } = await open(t)
  const body = {
    name: 'api',
    type: 'http',
    host: { hostname: 'api.internal', resolver_network: { ...tunnel, resolver_ips: ['10.0.0.53', '10.0.0.54'] } },
    http_port: 8080,
    https_port: 8443,
    tls_settings: { cert_verification_mode: 'verify_ca' },
  }
  const made = shown(await add(body))
  const { service_id, created_at, updated_at } = made
  assert.deepEqual(made, { ...body, service_id, created_at, updated_at })
  assert.match(updated_at, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual(shown(await call('GET', `${path}/${service_id}`)), made)
})

test('what it sends for a TCP service does so too, with the defaults said', async (t) => {
  const { add, tunnel } = await open(t)
  const host = { hostname: 'db.internal', resolver_network: tunnel }
  const made = shown(await add({ name: 'db', type: 'tcp', host, tcp_port: 5432, app_protocol: 'postgresql' }))
  const { service_id, created_at, updated_at } = made
  assert.deepEqual(made, {
    service_id,
    name: 'db',
    type: 'tcp',
    host: { hostname: 'db.internal', resolver_network: { ...tunnel, resolver_ips: null } },
    tcp_port: 5432,
    app_protocol: 'postgresql',
    tls_settings: { cert_verification_mode: 'verify_full' },
    created_at,
    updated_at,
  })
})

test('X-01: an address of either family is taken, and both together', async (t) => {
  const { add, tunnel, directory } = await open(t)
  const forms = [{ ipv4: '10.0.0.5' }, { ipv6: 'fd00::5' }, { ipv4: '10.0.0.5', ipv6: 'fd00::5' }]
  for (const [at, form] of forms.entries()) {
    const host = { ...form, network: tunnel }
    assert.deepEqual(shown(await add({ name: `${at}`, type: 'http', host })).host, host)
  }
  const [, , dual] = (await directory.services.list()).toSorted((a, b) => a.name.localeCompare(b.name))
  assert.deepEqual([dual?.host, dual?.otherHost, dual?.httpPort, dual?.httpsPort], ['10.0.0.5', 'fd00::5', 80, 443])
})

test('V-013: PUT puts the whole in its place, DELETE answers nothing, and both know ids alone', async (t) => {
  const { call, path, add, tunnel } = await open(t)
  const host = { ipv4: '10.0.0.5', network: tunnel }
  const made = shown(await add({ name: 'web', type: 'http', host, http_port: 8080 }))
  const named = shown(await add({ name: NOBODY, type: 'http', host }))
  const replaced = await call('PUT', `${path}/${made.service_id}`, { name: 'web 2', type: 'tcp', host, tcp_port: 1 })
  assert.equal(shown(replaced).name, 'web 2')
  assert.equal(shown(replaced).service_id, made.service_id)
  assert.equal('http_port' in (replaced.body.result as object), false)
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? { name: 'x', type: 'http', host } : undefined
    assert.equal(codeOf(await call(method, `${path}/${NOBODY}`, body)), '404/5104') // a name, and no id
    assert.equal(codeOf(await call(method, `${path}/web`, body)), '404/7003')
  }
  const deleted = await call('DELETE', `${path}/${named.service_id}`)
  assert.deepEqual([deleted.status, deleted.body.result], [200, null])
  assert.equal(codeOf(await call('PATCH', `${path}/${made.service_id}`, {})), '405/10405')
})

test('lists are paged and take a type', async (t) => {
  const { call, path, add, tunnel } = await open(t)
  const host = { ipv4: '10.0.0.5', network: tunnel }
  for (const name of ['a', 'b', 'c']) await add({ name, type: 'http', host })
  await add({ name: 'd', type: 'tcp', host, tcp_port: 1 })
  const page = await call('GET', `${path}?page=2&per_page=3`)
  assert.deepEqual(page.body.result_info, { page: 2, per_page: 3, count: 1, total_count: 4, total_pages: 2 })
  const names = ((await call('GET', `${path}?type=tcp`)).body.result as Shown[]).map(({ name }) => name)
  assert.deepEqual(names, ['d'])
  assert.equal(codeOf(await call('GET', `${path}?type=udp`)), '400/10400')
})

test('what is wrong is told by field', async (t) => {
  const { add, tunnel } = await open(t)
  const good = { name: 'x', type: 'http', host: { ipv4: '10.0.0.5', network: tunnel } }
  const refused = async (changes: object, message: RegExp, code = '400/10400'): Promise<void> => {
    const answered = await add({ ...good, ...changes })
    assert.equal(codeOf(answered), code, JSON.stringify(changes))
    assert.match(answered.body.errors[0]?.message ?? '', message)
  }
  await refused({ name: '' }, /service name/)
  await refused({ type: 'udp' }, /^type: /)
  await refused({ host: undefined }, /^host: /)
  await refused({ host: {} }, /^host: expected hostname with resolver_network/)
  await refused({ host: { ipv4: '10.0.0.5' } }, /^host: expected hostname with/)
  await refused({ host: { ipv4: '10.0.0.5', hostname: 'x', network: tunnel } }, /^host: expected hostname with/)
  await refused({ host: { ipv4: 'x', network: tunnel } }, /^host\.ipv4: /)
  await refused({ host: { hostname: '10.0.0.5', resolver_network: tunnel } }, /^host\.hostname: expected a name/)
  await refused({ host: { hostname: 'a b', resolver_network: tunnel } }, /^host: expected a host name/)
  await refused({ host: { hostname: 'a', resolver_network: { ...tunnel, resolver_ips: ['x'] } } }, /^resolverIps: /)
  await refused({ type: 'tcp' }, /^tcpPort: /)
  await refused({ http_port: 70_000 }, /^httpPort: /)
  await refused({ tls_settings: { cert_verification_mode: 'maybe' } }, /^tls_settings\.cert_verification_mode: /)
  await refused({ tls_settings: { certificate_authority: NOBODY } }, /certificate_authority: not supported yet/)
  await refused({ host: { ipv4: '10.0.0.5', network: { tunnel_id: NOBODY } } }, /there is no tunnel/, '400/5101')
  await add(good)
  await refused({}, /"x" exists already/, '409/5101')
})
