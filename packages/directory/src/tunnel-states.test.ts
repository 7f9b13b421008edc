import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'

const open = (): Promise<Directory> => openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })

test('a tunnel has no configuration until one is put, and each counts one up', async () => {
  await using directory = await open()
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const configurations = directory.tunnelConfigurations
  assert.deepEqual(await configurations.get(id), {
    version: 0,
    createdAt: undefined,
    settings: { allow: [], deny: [], probes: [] },
  })
  const first = await configurations.put(id, { deny: ['10.9.0.0/16'], logLevel: 'debug' })
  assert.equal(first.version, 1)
  assert.match(first.createdAt ?? '', /^\d{4}-/)
  assert.deepEqual(first.settings, { allow: [], deny: ['10.9.0.0/16'], logLevel: 'debug', probes: [] })
  assert.deepEqual(await configurations.get(id), first)
  const second = await configurations.put(id, {})
  assert.deepEqual([second.version, second.settings.deny], [2, []])
})

test('writers at once get a version each', async () => {
  await using directory = await open()
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const put = await Promise.all(Array.from({ length: 20 }, () => directory.tunnelConfigurations.put(id, {})))
  assert.deepEqual(
    put.map(({ version }) => version).toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, at) => at + 1),
  )
})

test('hosts of probes are kept as flows name them', async () => {
  await using directory = await open()
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const hosts = ['DB.internal', '0x7f000001', '0:0:0:0:0:0:0:1']
  const probes = hosts.map((host) => ({ type: 'tcp', host, port: 1 }))
  const { settings } = await directory.tunnelConfigurations.put(id, { probes })
  assert.deepEqual(
    settings.probes.map(({ host }) => host),
    ['db.internal', '127.0.0.1', '::1'],
  )
})

test('what cannot hold is refused and leaves what was', async () => {
  await using directory = await open()
  const { id } = await directory.tunnels.create({ name: 'lab' })
  const configurations = directory.tunnelConfigurations
  await configurations.put(id, { logLevel: 'warn' })
  for (const bad of [{ allow: ['10.0.0.1/8'] }, { deny: ['x'] }, { speed: 9 }, 7]) {
    await assert.rejects(configurations.put(id, bad), { code: 'options_invalid' })
  }
  await assert.rejects(configurations.put('6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1aa', {}), { code: 'not_found' })
  assert.equal((await configurations.get(id)).version, 1)
})

test('activity is noted: since when there are connectors, and since when there are none', async () => {
  await using directory = await open()
  const { tunnelActivity } = directory
  const [one, other] = ['6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1aa', '6d1ff0c5-9f3d-4a1e-8f6a-0d6ad0f8c1ab'] as const
  assert.equal(await tunnelActivity.get(one), undefined)
  await tunnelActivity.note(one, true)
  const active = await tunnelActivity.get(one)
  assert.equal(active?.inactiveAt, undefined)
  await tunnelActivity.note(one, false)
  const left = await tunnelActivity.get(one)
  assert.equal(left?.activeAt, active?.activeAt)
  assert.ok(left?.inactiveAt !== undefined)
  await tunnelActivity.note(other, false) // its beginning was not noted
  assert.deepEqual([...(await tunnelActivity.list()).keys()].toSorted(), [one, other])
  await tunnelActivity.note(one, true)
  assert.equal((await tunnelActivity.get(one))?.inactiveAt, undefined)
})
