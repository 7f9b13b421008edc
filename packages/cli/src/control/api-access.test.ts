import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { openTunnelsClient } from './api-access.ts'
import { writeEdgeFile } from './edge-file.ts'
import { fakeApi, ok } from './fake-api.ts'
import type { FakeApi } from './fake-api.ts'

const none = { dataDir: undefined, api: undefined, apiToken: undefined, account: undefined, json: false }
const accounts = (...ids: readonly string[]): ((call: { path: string }) => ReturnType<typeof ok>) => {
  return ({ path }) => ok(path.endsWith('/accounts') ? ids.map((id) => ({ id })) : [])
}

async function dataDir(t: TestContext, api: FakeApi): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hawser-api-access-'))
  t.after(() => rm(made, { recursive: true }))
  await writeEdgeFile(made, { pid: 1, tunnel: 'h:1', api: api.base, accountId: 'from-file' })
  await writeFile(join(made, 'admin-token'), 'admin-secret\n')
  return made
}

test('a data directory tells the API, the token and the account', async (t) => {
  assertNoLeaks(t)
  await using api = await fakeApi(accounts())
  const client = await openTunnelsClient({ ...none, dataDir: await dataDir(t, api) }, t.signal)
  await client.list()
  assert.equal(api.calls.length, 1)
  assert.equal(api.calls[0]?.authorization, 'Bearer admin-secret')
  assert.match(api.calls[0]?.path ?? '', /^\/client\/v4\/accounts\/from-file\//)
})

test('a token and an account that are given win over the data directory', async (t) => {
  assertNoLeaks(t)
  await using api = await fakeApi(accounts())
  const flags = { ...none, dataDir: await dataDir(t, api), apiToken: new Secret('given'), account: 'mine' }
  await (await openTunnelsClient(flags, t.signal)).list()
  assert.equal(api.calls[0]?.authorization, 'Bearer given')
  assert.match(api.calls[0]?.path ?? '', /\/accounts\/mine\//)
})

test('an origin is enough for --api, and the only account is found', async (t) => {
  assertNoLeaks(t)
  await using api = await fakeApi(accounts('the-only'))
  const origin = new URL(api.base).origin
  const client = await openTunnelsClient({ ...none, api: origin, apiToken: new Secret('x') }, t.signal)
  await client.list()
  assert.deepEqual(
    api.calls.map(({ path }) => path.replace(/\?.*/, '')),
    ['/client/v4/accounts', '/client/v4/accounts/the-only/cfd_tunnel'],
  )
})

test('a base with a path of its own is taken as it is', async (t) => {
  assertNoLeaks(t)
  await using api = await fakeApi(accounts('a'))
  const base = `${new URL(api.base).origin}/behind/proxy`
  await openTunnelsClient({ ...none, api: base, apiToken: new Secret('x') }, t.signal)
  assert.equal(api.calls[0]?.path, '/behind/proxy/accounts')
})

test('with several accounts or none, one has to be named', async (t) => {
  assertNoLeaks(t)
  for (const ids of [[], ['a', 'b']]) {
    await using api = await fakeApi(accounts(...ids))
    const opening = openTunnelsClient({ ...none, api: api.base, apiToken: new Secret('x') }, t.signal)
    await assert.rejects(opening, { code: 'options_invalid', message: /^--account is required/ })
  }
})
