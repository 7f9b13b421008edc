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
  readonly add: (hostname: string, more?: object) => Promise<Answered>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const fixture = await apiFixture(t, new CapturedLog())
  const { id: tunnelId } = await fixture.directory.tunnels.create({ name: 'lab' })
  const path = `${fixture.account}/zerotrust/routes/hostname`
  const add: Lab['add'] = (hostname, more) => fixture.call('POST', path, { hostname, tunnel_id: tunnelId, ...more })
  return { ...fixture, tunnelId, path, add }
}

interface Shown {
  readonly id: string
  readonly hostname: string
  readonly created_at: string
  readonly deleted_at: string | null
}

function hostnames({ body }: Answered): string[] {
  return (body.result as Shown[]).map(({ hostname }) => hostname)
}

test('V-152: a new route has the shape the clients know, its name trimmed', async (t) => {
  const { call, path, add, tunnelId } = await open(t)
  const added = await add(' *.Internal ', { comment: 'all' })
  const { id, created_at: createdAt } = added.body.result as Shown
  assert.deepEqual(added.body.result, {
    id,
    hostname: '*.internal',
    tunnel_id: tunnelId,
    tunnel_name: 'lab',
    tun_type: 'cfd_tunnel',
    comment: 'all',
    created_at: createdAt,
    deleted_at: null,
  })
  assert.deepEqual((await call('GET', `${path}/${id}`)).body.result, added.body.result)
})

test('what is wrong is told by field and with the status the clients know', async (t) => {
  const { call, path, add } = await open(t)
  const { id } = (await add('db.internal')).body.result as Shown
  assert.equal(codeOf(await call('POST', path, {})), '400/10400')
  assert.equal(codeOf(await add('a.*.internal')), '400/10400')
  assert.equal(codeOf(await add('10.0.0.1')), '400/10400')
  assert.equal(codeOf(await call('POST', path, { hostname: 'x', tunnel_id: NOBODY })), '404/7003')
  const taken = await add('DB.internal')
  assert.equal(taken.status, 409)
  assert.match(taken.body.errors[0]?.message ?? '', /already routed to a tunnel/)
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? {} : undefined
    for (const wrong of [NOBODY, 'db.internal']) {
      assert.equal(codeOf(await call(method, `${path}/${wrong}`, body)), '404/7003')
    }
  }
  assert.equal(codeOf(await call('PATCH', `${path}/${id}`, { hostname: '*' })), '400/10400')
})

test('a route is changed in part, filtered by any part of its name, and deleted with the date', async (t) => {
  const { call, path, add } = await open(t)
  const { id } = (await add('db.internal', { comment: 'c' })).body.result as Shown
  await add('*.corp')
  const changed = await call('PATCH', `${path}/${id}`, { hostname: 'db2.internal' })
  assert.equal((changed.body.result as Shown).hostname, 'db2.internal')
  assert.deepEqual(hostnames(await call('GET', `${path}?hostname=INTERNAL`)), ['db2.internal'])
  assert.deepEqual(hostnames(await call('GET', `${path}?comment=c`)), ['db2.internal'])
  const page = await call('GET', `${path}?per_page=1&page=2`)
  assert.deepEqual(hostnames(page), ['db2.internal'])
  assert.deepEqual(page.body.result_info, { page: 2, per_page: 1, count: 1, total_count: 2, total_pages: 2 })
  const deleted = (await call('DELETE', `${path}/${id}`)).body.result as Shown
  assert.notEqual(deleted.deleted_at, null)
  assert.deepEqual(hostnames(await call('GET', path)), ['*.corp'])
  assert.deepEqual(hostnames(await call('GET', `${path}?is_deleted=true&id=${id}`)), ['db2.internal'])
  assert.equal(codeOf(await call('GET', `${path}?existed_at=x`)), '400/10400')
})
