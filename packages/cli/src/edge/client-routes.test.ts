import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { API_BASE, createApi } from '@hawser/api'
import { Secret, silentLogger } from '@hawser/core'
import { openDirectory } from '@hawser/directory'
import type { Directory } from '@hawser/directory'
import { assertNoLeaks } from '@hawser/testkit'
import { addClientRoutes } from './client-routes.ts'

interface Answered {
  readonly status: number
  readonly result: never
  readonly errors: readonly { readonly message: string }[]
}

interface Lab {
  readonly directory: Directory
  readonly tunnelId: string
  readonly disconnected: string[]
  call(method: string, path: string, body?: unknown, token?: string): Promise<Answered>
}

async function open(t: TestContext): Promise<Lab> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  const disconnected: string[] = []
  const api = createApi({
    directory,
    connections: () => [],
    tunnelToken: () => Promise.reject(new Error('unused')),
    logger: silentLogger,
  })
  addClientRoutes(api, {
    directory,
    clientToken: (id) => Promise.resolve(new Secret(`token of ${id}`)),
    disconnectClient: (id) => void disconnected.push(id),
  })
  const { token } = await directory.apiTokens.create('test')
  const { id: tunnelId } = await directory.tunnels.create({ name: 'office' })
  return {
    directory,
    tunnelId,
    disconnected,
    async call(method, path, body, credential = token.reveal()) {
      const init = { method, headers: { authorization: `Bearer ${credential}` } }
      const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
      const url = `http://edge${API_BASE}/accounts/${directory.accountId}/hawser/clients${path}`
      const response = await api.fetch(new Request(url, { ...init, ...content }))
      return { status: response.status, ...((await response.json()) as Omit<Answered, 'status'>) }
    },
  }
}

test('a client is made for networks by id or name, listed, found by both, and deleted', async (t) => {
  const lab = await open(t)
  const service = await lab.directory.services.create({
    name: 'stock',
    type: 'http',
    tunnelId: lab.tunnelId,
    host: 'stock.internal',
  })
  const made = await lab.call('POST', '', { name: 'batch', networks: ['office', lab.tunnelId], services: ['stock'] })
  assert.equal(made.status, 200)
  const { id, ...rest } = made.result as { id: string; created_at: string }
  assert.deepEqual(
    { ...rest, created_at: '' },
    { name: 'batch', networks: [lab.tunnelId], services: [service.id], created_at: '' },
  )
  assert.deepEqual((await lab.call('GET', '')).result, [made.result])
  assert.deepEqual((await lab.call('GET', '/batch')).result, made.result)
  assert.equal((await lab.call('GET', `/${id}/token`)).result, `token of ${id}`)
  assert.deepEqual((await lab.call('DELETE', '/batch')).result, made.result)
  assert.deepEqual(lab.disconnected, [id])
  assert.deepEqual(await lab.directory.clients.list(), [])
})

test('nothing happens without the API token', async (t) => {
  const lab = await open(t)
  for (const [method, path] of [
    ['GET', ''],
    ['POST', ''],
    ['GET', '/x/token'],
    ['DELETE', '/x'],
  ] as const) {
    assert.equal((await lab.call(method, path, method === 'POST' ? {} : undefined, 'hawser_wrong')).status, 401)
  }
})

test('what is wrong is named, and values are not repeated', async (t) => {
  const lab = await open(t)
  const gone = await lab.directory.tunnels.create({ name: 'gone' })
  await lab.directory.tunnels.delete(gone.id)
  for (const [body, message] of [
    ['{"name":', /name: expected text/],
    ['null', /name: expected text/],
    [{ name: 5 }, /name: expected text/],
    [{ name: '', networks: ['office'] }, /client name: must not be empty/],
    [{ name: 'x' }, /needs a network or a service/],
    [{ name: 'x', networks: 'office' }, /networks: expected a list/],
    [{ name: 'x', networks: ['lab'] }, /there is no tunnel "lab"/],
    [{ name: 'x', networks: ['gone'] }, /there is no tunnel "gone"/],
    [{ name: 'x', networks: [gone.id] }, /there is no tunnel/],
    [{ name: 'x', services: ['s'] }, /there is no service "s"/],
  ] as const) {
    const { status, errors } = await lab.call('POST', '', body)
    assert.equal(status, 400, JSON.stringify(body))
    assert.match(errors[0]?.message ?? '', message)
  }
  await lab.call('POST', '', { name: 'x', networks: ['office'] })
  assert.equal((await lab.call('POST', '', { name: 'x', networks: ['office'] })).status, 409)
  assert.match((await lab.call('GET', '/nobody')).errors[0]?.message ?? '', /there is no client "nobody"/)
  assert.equal((await lab.call('DELETE', '/nobody')).status, 400)
})
