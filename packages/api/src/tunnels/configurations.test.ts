import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { apiFixture, codeOf } from '../fixture.ts'
import type { Answered, Fixture } from '../fixture.ts'

interface Configured {
  readonly version: number
  readonly config: { readonly hawser: object }
}

async function lab(t: TestContext): Promise<Fixture & { path: string; id: string }> {
  assertNoLeaks(t)
  const fixture = await apiFixture(t, new CapturedLog())
  const { id } = await fixture.directory.tunnels.create({ name: 'lab' })
  return { ...fixture, id, path: `${fixture.account}/cfd_tunnel/${id}/configurations` }
}

const configured = ({ body }: Answered): Configured => body.result as Configured

test('a tunnel that was never configured says so in the shape the clients know', async (t) => {
  const { call, path, directory, id } = await lab(t)
  assert.deepEqual(configured(await call('GET', path)), {
    account_id: directory.accountId,
    tunnel_id: id,
    version: 0,
    source: 'cloudflare',
    created_at: null,
    config: { ingress: [], hawser: { allow: [], deny: [], probes: [] } },
  })
})

test('what is put is told to the connectors and read again', async (t) => {
  const { call, path, id, configuredTunnels } = await lab(t)
  const hawser = {
    deny: ['10.9.0.0/16'],
    logLevel: 'debug',
    probes: [{ type: 'tcp', host: 'db.internal', port: 5432 }],
  }
  const put = await call('PUT', path, { config: { hawser, ingress: [{ service: 'http_status:404' }] } })
  assert.equal(configured(put).version, 1)
  assert.partialDeepStrictEqual(configured(put).config.hawser, { deny: ['10.9.0.0/16'], logLevel: 'debug', allow: [] })
  assert.deepEqual(configured(await call('GET', path)), configured(put))
  assert.deepEqual(configuredTunnels, [id])
  assert.equal(configured(await call('PUT', path, { config: {} })).version, 2)
})

test('what cannot be is refused, naming the field, and changes nothing', async (t) => {
  const { call, path, configuredTunnels } = await lab(t)
  for (const [config, says] of [
    [{ hawser: { deny: ['10.0.0.1/8'] } }, /deny\[0\]/],
    [{ hawser: { speed: 9 } }, /speed/],
    [{ hawser: { probes: [{ type: 'tcp', host: 'db' }] } }, /probes\[0\]\.port/],
    [{ ingress: [{ hostname: 'app.example.com', service: 'http://a' }] }, /public host names/],
  ] as const) {
    const refused = await call('PUT', path, { config })
    assert.equal(codeOf(refused).slice(0, 3), '400')
    assert.match(refused.body.errors[0]?.message ?? '', says)
  }
  assert.equal(codeOf(await call('PUT', path, {})), '400/10400')
  assert.equal(configured(await call('GET', path)).version, 0)
  assert.deepEqual(configuredTunnels, [])
})

test('a tunnel that is not there has no configuration', async (t) => {
  const { call, path, directory, id } = await lab(t)
  await directory.tunnels.delete(id)
  for (const method of ['GET', 'PUT'])
    assert.equal(codeOf(await call(method, path, method === 'PUT' ? { config: {} } : undefined)), '404/1002')
})
