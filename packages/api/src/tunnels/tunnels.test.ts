import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { apiFixture, codeOf, fakeConnection } from '../fixture.ts'
import type { Answered, Fixture } from '../fixture.ts'

/** The API, with its log at hand and a check that nothing stays open. */
function fixtureFor(t: TestContext): Promise<Fixture<CapturedLog>> {
  assertNoLeaks(t)
  return apiFixture(t, new CapturedLog())
}

const SECRET = Buffer.alloc(32, 7).toString('base64')
const NOBODY = '00000000-0000-4000-8000-000000000000'

interface Shown {
  readonly id: string
  readonly name: string
  readonly created_at: string
  readonly deleted_at: string | null
}

function shown({ body }: Answered): Shown {
  return body.result as Shown
}

function names({ body }: Answered): string[] {
  return (body.result as Shown[]).map(({ name }) => name)
}

async function tunnelsOf({ call, account }: Fixture, ...list: string[]): Promise<Shown[]> {
  const created: Shown[] = []
  for (const name of list) created.push(shown(await call('POST', `${account}/cfd_tunnel`, { name })))
  return created
}

test('a new tunnel has the shape the clients know, and no secret in it', async (t) => {
  const { call, account, directory } = await fixtureFor(t)
  const answered = await call('POST', `${account}/cfd_tunnel`, { name: 'lab', config_src: 'cloudflare' })
  assert.equal(answered.status, 200)
  const { id, created_at: createdAt } = shown(answered)
  assert.deepEqual(answered.body.result, {
    id,
    account_tag: directory.accountId,
    name: 'lab',
    created_at: createdAt,
    deleted_at: null,
    status: 'inactive',
    target_status: null,
    tun_type: 'cfd_tunnel',
    config_src: 'cloudflare',
    remote_config: true,
    connections: [],
    conns_active_at: null,
    conns_inactive_at: null,
    metadata: {},
  })
  assert.equal((await directory.tunnels.get(id))?.createdAt, createdAt)
  const read = await call('GET', `${account}/cfd_tunnel/${id}`)
  assert.deepEqual(read.body.result, answered.body.result)
})

test('a secret that is given is kept and not given back', async (t) => {
  const { call, account, directory } = await fixtureFor(t)
  const created = await call('POST', `${account}/cfd_tunnel`, { name: 'lab', tunnel_secret: SECRET })
  const { id } = shown(created)
  assert.equal((await directory.tunnels.secretOf(id))?.reveal(), SECRET)
  const other = Buffer.alloc(40, 8).toString('base64')
  const changed = await call('PATCH', `${account}/cfd_tunnel/${id}`, { name: 'lab 2', tunnel_secret: other })
  assert.equal(shown(changed).name, 'lab 2')
  assert.equal((await directory.tunnels.secretOf(id))?.reveal(), other)
  for (const { text } of [created, changed, await call('GET', `${account}/cfd_tunnel`)]) {
    assert.equal(text.includes(SECRET) || text.includes(other) || text.includes('[secret]'), false)
  }
})

test('what is wrong with a body is told by field, without its values', async (t) => {
  const { call, account } = await fixtureFor(t)
  const refused = async (body: unknown, message: RegExp): Promise<void> => {
    const answered = await call('POST', `${account}/cfd_tunnel`, body)
    assert.equal(codeOf(answered), '400/10400', JSON.stringify(body))
    assert.match(answered.body.errors[0]?.message ?? '', message)
    assert.equal(answered.text.includes('hunter2'), false)
  }
  await refused({}, /^name: /)
  await refused({ name: 7 }, /^name: .*string/)
  await refused({ name: '' }, /tunnel name: must not be empty/)
  await refused({ name: 'x'.repeat(101) }, /at most 100 characters, got 101/)
  await refused({ name: 'a\nb' }, /control characters/)
  await refused({ name: 'a', config_src: 'hunter2' }, /^config_src: /)
  await refused({ name: 'a', tunnel_secret: 'hunter2' }, /tunnel secret: expected base64/)
  await refused({ name: 'a', tunnel_secret: { hunter2: 1 } }, /^tunnel_secret: /)
  await refused([], /object/)
  await refused('null', /object/)
  assert.deepEqual(names(await call('GET', `${account}/cfd_tunnel`)), [])
})

test('keys nobody knows are dropped, dangerous ones too', async (t) => {
  const { call, account } = await fixtureFor(t)
  const body = '{"name":"lab","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"id":"mine"}'
  const answered = await call('POST', `${account}/cfd_tunnel`, body)
  assert.equal(answered.status, 200)
  assert.notEqual(shown(answered).id, 'mine')
  assert.equal('polluted' in {}, false)
})

test('a name in use is a conflict that clients should not repeat', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account } = fixture
  const [, other] = await tunnelsOf(fixture, 'lab', 'other')
  for (const answered of [
    await call('POST', `${account}/cfd_tunnel`, { name: 'lab' }),
    await call('PATCH', `${account}/cfd_tunnel/${other?.id}`, { name: 'lab' }),
  ]) {
    assert.equal(codeOf(answered), '409/1013')
    assert.equal(answered.headers.get('x-should-retry'), 'false')
    assert.match(answered.body.errors[0]?.message ?? '', /"lab" exists already/)
  }
})

test('what is not there is 1002, and what is no id is 7003', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account } = fixture
  const [gone] = await tunnelsOf(fixture, 'gone')
  await call('DELETE', `${account}/cfd_tunnel/${gone?.id}`)
  const calls = [
    ['PATCH', ''],
    ['DELETE', ''],
    ['GET', '/token'],
    ['GET', '/connections'],
    ['DELETE', '/connections'],
    ['GET', '/connectors/k1'],
  ] as const
  for (const [method, rest] of calls) {
    const body = method === 'PATCH' ? { name: 'x' } : undefined
    for (const id of [NOBODY, gone?.id]) {
      assert.equal(codeOf(await call(method, `${account}/cfd_tunnel/${id}${rest}`, body)), '404/1002')
    }
    for (const id of ['lab', '1', `${NOBODY}0`, '%00', '..%2f']) {
      assert.equal(codeOf(await call(method, `${account}/cfd_tunnel/${id}${rest}`, body)), '404/7003')
    }
  }
  assert.equal(codeOf(await call('GET', `${account}/cfd_tunnel/${NOBODY}`)), '404/1002')
})

test('a deleted tunnel is answered with its date, stays readable, and leaves the list', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account } = fixture
  const [lab] = await tunnelsOf(fixture, 'lab', 'other')
  const deleted = await call('DELETE', `${account}/cfd_tunnel/${lab?.id.toUpperCase()}`)
  assert.equal(deleted.status, 200)
  assert.notEqual(shown(deleted).deleted_at, null)
  assert.deepEqual(shown(await call('GET', `${account}/cfd_tunnel/${lab?.id}`)), shown(deleted))
  assert.deepEqual(names(await call('GET', `${account}/cfd_tunnel`)), ['other'])
  assert.deepEqual(names(await call('GET', `${account}/cfd_tunnel?is_deleted=false`)), ['other'])
  assert.deepEqual(names(await call('GET', `${account}/cfd_tunnel?is_deleted=true`)), ['lab'])
})

test('lists are filtered, and a filter that is not served is refused', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account, connections } = fixture
  const [one, two] = await tunnelsOf(fixture, 'lab-1', 'lab-2', 'prod')
  connections.set(two?.id ?? '', [fakeConnection('c1', 'k1')])
  const list = async (query: string): Promise<string[]> =>
    names(await call('GET', `${account}/cfd_tunnel?${query}`)).toSorted()
  assert.deepEqual(await list('name=prod'), ['prod'])
  assert.deepEqual(await list('name=lab'), [])
  assert.deepEqual(await list('include_prefix=lab'), ['lab-1', 'lab-2'])
  assert.deepEqual(await list('exclude_prefix=lab'), ['prod'])
  assert.deepEqual(await list(`uuid=${one?.id}`), ['lab-1'])
  assert.deepEqual(await list('status=healthy'), ['lab-2'])
  assert.deepEqual(await list('status=inactive'), ['lab-1', 'prod'])
  assert.deepEqual(await list('status=down&name=prod'), [])
  for (const query of ['is_deleted=yes', 'status=fine', 'existed_at=2026-01-01T00:00:00Z', 'was_active_at=x']) {
    assert.equal(codeOf(await call('GET', `${account}/cfd_tunnel?${query}`)), '400/10400', query)
  }
})

test('a list is walked page by page to an empty one', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account } = fixture
  await tunnelsOf(fixture, ...Array.from({ length: 5 }, (_, at) => `tunnel ${at}`))
  const seen: string[] = []
  for (let page = 1; page < 10; page += 1) {
    const answered = await call('GET', `${account}/cfd_tunnel?per_page=2&page=${page}`)
    const found = names(answered)
    assert.deepEqual(answered.body.result_info, {
      page,
      per_page: 2,
      count: found.length,
      total_count: 5,
      total_pages: 3,
    })
    if (found.length === 0) break
    seen.push(...found)
  }
  assert.equal(new Set(seen).size, 5)
})

test('the token of a tunnel is text, and the only way to it', async (t) => {
  const fixture = await fixtureFor(t)
  const [lab] = await tunnelsOf(fixture, 'lab')
  const answered = await fixture.call('GET', `${fixture.account}/cfd_tunnel/${lab?.id}/token`)
  assert.equal(answered.body.result, `token of ${lab?.id}`)
})

test('connections are told by connector', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account, connections } = fixture
  const [lab] = await tunnelsOf(fixture, 'lab')
  const path = `${account}/cfd_tunnel/${lab?.id}`
  assert.deepEqual((await call('GET', `${path}/connections`)).body.result, [])
  const openedAt = Date.UTC(2026, 0, 2)
  connections.set(lab?.id ?? '', [
    fakeConnection('c1', 'k1', openedAt),
    fakeConnection('c2', 'k2'),
    fakeConnection('c3', 'k1'),
  ])
  const result = (await call('GET', `${path}/connections`)).body.result as { id: string; conns: { id: string }[] }[]
  assert.deepEqual(
    result.map(({ id, conns }) => [id, ...conns.map((each) => each.id)]),
    [
      ['k1', 'c1', 'c3'],
      ['k2', 'c2'],
    ],
  )
  assert.deepEqual(result[0], {
    id: 'k1',
    arch: 'linux_x64',
    version: '0.1.0',
    features: [],
    run_at: '2026-01-02T00:00:00.000Z',
    config_version: 0,
    weight: null,
    connections: null,
    targets: [],
    conns: result[0]?.conns,
  })
  assert.deepEqual(result[0]?.conns[0], {
    id: 'c1',
    uuid: 'c1',
    client_id: 'k1',
    client_version: '0.1.0',
    colo_name: 'edge',
    origin_ip: '2001:db8::7',
    opened_at: '2026-01-02T00:00:00.000Z',
    is_pending_reconnect: false,
  })
  const tunnel = (await call('GET', path)).body.result as { status: string; conns_active_at: string }
  assert.deepEqual([tunnel.status, tunnel.conns_active_at], ['healthy', '2026-01-02T00:00:00.000Z'])
})

test('one connector is told as in the list, and one that is not connected is not there', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account, connections } = fixture
  const [lab, other] = await tunnelsOf(fixture, 'lab', 'other')
  const report = { connections: { up: 2, of: 4 }, configuration: 3, targets: [] }
  connections.set(lab?.id ?? '', [
    fakeConnection('c1', 'k1'),
    { ...fakeConnection('c2', 'k2', 0), report },
    fakeConnection('c3', 'k2', 1000),
  ])
  const path = `${account}/cfd_tunnel/${lab?.id}`
  const list = (await call('GET', `${path}/connections`)).body.result as { id: string }[]
  for (const connector of list) {
    assert.deepEqual((await call('GET', `${path}/connectors/${connector.id}`)).body.result, connector)
  }
  assert.partialDeepStrictEqual((await call('GET', `${path}/connectors/k2`)).body.result, {
    run_at: '1970-01-01T00:00:00.000Z',
    config_version: 3,
    connections: { up: 2, of: 4 },
    conns: [{ id: 'c2' }, { id: 'c3' }],
  })
  for (const nobody of [`${path}/connectors/k3`, `${account}/cfd_tunnel/${other?.id}/connectors/k1`]) {
    assert.equal(codeOf(await call('GET', nobody)), '404/10404')
  }
  assert.equal(codeOf(await call('DELETE', `${path}/connectors/k1`)), '405/10405')
})

test('the connections of one connector are ended, or all of them', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account, connections } = fixture
  const [lab] = await tunnelsOf(fixture, 'lab')
  const all = [fakeConnection('c1', 'k1'), fakeConnection('c2', 'k2'), fakeConnection('c3', 'k1')]
  connections.set(lab?.id ?? '', all)
  const path = `${account}/cfd_tunnel/${lab?.id}/connections`
  assert.equal((await call('DELETE', `${path}?client_id=nobody`)).body.result, null)
  assert.deepEqual(
    all.map(({ ended }) => ended?.code),
    [undefined, undefined, undefined],
  )
  await call('DELETE', `${path}?client_id=k1`)
  assert.deepEqual(
    all.map(({ ended }) => ended?.code),
    ['tunnel_closed', undefined, 'tunnel_closed'],
  )
  await call('DELETE', path)
  assert.equal(all[1]?.ended?.code, 'tunnel_closed')
})

test('a tunnel in use is deleted only with its connections', async (t) => {
  const fixture = await fixtureFor(t)
  const { call, account, connections, directory } = fixture
  const [lab] = await tunnelsOf(fixture, 'lab')
  const connection = fakeConnection('c1', 'k1')
  connections.set(lab?.id ?? '', [connection])
  assert.equal(codeOf(await call('DELETE', `${account}/cfd_tunnel/${lab?.id}`)), '400/1022')
  assert.deepEqual([connection.ended], [undefined])
  assert.ok(await directory.tunnels.secretOf(lab?.id ?? ''))
  const deleted = await call('DELETE', `${account}/cfd_tunnel/${lab?.id}?cascade=true`)
  assert.equal(deleted.status, 200)
  assert.equal(connection.ended?.message, 'the tunnel lab was deleted')
})
