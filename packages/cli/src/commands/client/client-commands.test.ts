import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { failed, fakeApi, ok } from '../../control/fake-api.ts'
import type { FakeApi } from '../../control/fake-api.ts'
import { testLine } from '../../test-line.ts'

const CLIENT = { id: 'c-1', name: 'batch', created_at: '2026-01-01', networks: ['t-1'], services: ['s-1', 's-2'] }
const BASE = '/client/v4/accounts/acc/hawser/clients'

/** A control API that answers each call by its table. */
async function api(t: TestContext, answers: Readonly<Record<string, unknown>>): Promise<FakeApi> {
  assertNoLeaks(t)
  return fakeApi(({ method, path }) => {
    const result = answers[`${method} ${path}`]
    return result === undefined ? failed(400, 'there is no client "nobody"') : ok(result)
  })
}

async function run(
  line: string,
  { base }: { base: string } = { base: '' },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const flags = base === '' ? [] : ['--api', base, '--api-token', 'hunter2', '--account', 'acc']
  return testLine([...line.split(' '), ...flags])
}

test('client create asks for what was named, and says how to get the token without printing it', async (t) => {
  await using lab = await api(t, { [`POST ${BASE}`]: CLIENT })
  const { code, stdout } = await run('client create batch --network lab --network t-2 --service s', lab)
  assert.equal(code, 0)
  assert.deepEqual(JSON.parse(lab.calls[0]?.body ?? ''), { name: 'batch', networks: ['lab', 't-2'], services: ['s'] })
  assert.match(stdout, /^Created client batch with id c-1\nIts token, .*: hawser client token batch\n$/)
})

test('client list is a table, or JSON', async (t) => {
  await using lab = await api(t, { [`GET ${BASE}`]: [CLIENT] })
  const { stdout } = await run('client list', lab)
  assert.match(stdout, /^NAME +ID +NETWORKS +SERVICES +CREATED\nbatch +c-1 +t-1 +s-1 s-2 +2026-01-01\n$/)
  assert.deepEqual(JSON.parse((await run('client list --json', lab)).stdout), [CLIENT])
})

test('client token prints the token and nothing else', async (t) => {
  await using lab = await api(t, { [`GET ${BASE}/batch`]: CLIENT, [`GET ${BASE}/c-1/token`]: 'eyJ0' })
  assert.equal((await run('client token batch', lab)).stdout, 'eyJ0\n')
  assert.deepEqual(JSON.parse((await run('client token batch --json', lab)).stdout), { id: 'c-1', token: 'eyJ0' })
})

test('client delete says what was deleted', async (t) => {
  await using lab = await api(t, { [`DELETE ${BASE}/batch`]: CLIENT })
  assert.equal((await run('client delete batch', lab)).stdout, 'Deleted client batch (c-1)\n')
  assert.deepEqual(JSON.parse((await run('client delete batch --json', lab)).stdout), CLIENT)
})

test('an unknown client, and an API that answers something else, are told as what they are', async (t) => {
  await using lab = await api(t, { [`GET ${BASE}`]: 'no list', [`GET ${BASE}/odd`]: 7 })
  const unknown = await run('client token nobody', lab)
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /there is no client "nobody"/)
  assert.match((await run('client list', lab)).stderr, /not a list of clients \(http_protocol_error\)/)
  assert.match((await run('client token odd', lab)).stderr, /not a client \(http_protocol_error\)/)
})

test('what is wrong with the words is said before anything is asked', async () => {
  const none = await run('client create batch --api http://127.0.0.1:9 --api-token t')
  assert.equal(none.code, 2)
  assert.match(none.stderr, /--network or --service is required/)
  assert.match((await run('client token')).stderr, /missing required argument 'client'/)
  assert.match((await run('client list')).stderr, /--data-dir or --api is required/)
  assert.match((await run('edge --data-dir d --clients h:p')).stderr, /--clients: expected host or host:port.*"h:p"/)
})
