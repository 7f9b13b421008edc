import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'

async function open(t: TestContext): Promise<Directory> {
  assertNoLeaks(t)
  const directory = await openDirectory({ file: ':memory:', key: Buffer.alloc(32, 1) })
  t.after(() => directory.close())
  return directory
}

test('V-156: there is one network from the beginning, and it is the default', async (t) => {
  const { virtualNetworks } = await open(t)
  const [first, ...rest] = await virtualNetworks.list()
  assert.deepEqual(rest, [])
  assert.deepEqual([first?.name, first?.isDefault, first?.comment, first?.deletedAt], ['default', true, '', undefined])
})

test('a network is found as it was made, renamed, and gone from lists once deleted', async (t) => {
  const { virtualNetworks } = await open(t)
  const made = await virtualNetworks.create({ name: 'site-b', comment: 'the other plant' })
  assert.deepEqual(await virtualNetworks.get(made.id), made)
  assert.deepEqual(await virtualNetworks.list({ name: 'site-b' }), [made])
  assert.deepEqual(await virtualNetworks.list({ isDefault: false }), [made])
  const renamed = await virtualNetworks.update(made.id, { name: 'plant-b' })
  assert.deepEqual(renamed, { ...made, name: 'plant-b' })
  assert.deepEqual(await virtualNetworks.update(made.id, {}), renamed)
  const deleted = await virtualNetworks.delete(made.id)
  assert.notEqual(deleted.deletedAt, undefined)
  assert.deepEqual(await virtualNetworks.get(made.id), deleted)
  assert.deepEqual(await virtualNetworks.list({ deleted: true }), [deleted])
  assert.equal((await virtualNetworks.list()).length, 1)
  assert.equal((await virtualNetworks.create({ name: 'plant-b' })).name, 'plant-b') // the name is free again
})

test('exactly one network is the default, whichever is made it', async (t) => {
  const { virtualNetworks } = await open(t)
  const defaults = async (): Promise<string[]> =>
    (await virtualNetworks.list({ isDefault: true })).map(({ name }) => name)
  const second = await virtualNetworks.create({ name: 'second', isDefault: true })
  assert.deepEqual(await defaults(), ['second'])
  const third = await virtualNetworks.create({ name: 'third' })
  await virtualNetworks.update(third.id, { isDefault: true })
  assert.deepEqual(await defaults(), ['third'])
  await virtualNetworks.update(third.id, { isDefault: true })
  assert.deepEqual(await defaults(), ['third'])
  await assert.rejects(virtualNetworks.update(third.id, { isDefault: false }), {
    code: 'conflict',
    message: /third is the default/,
  })
  await assert.rejects(virtualNetworks.delete(third.id), { code: 'conflict', message: /third is the default network/ })
  await assert.rejects(virtualNetworks.delete(third.id, true), { code: 'conflict' })
  await virtualNetworks.delete(second.id)
  assert.deepEqual(await defaults(), ['third'])
})

test('a network with routes is deleted by force alone, and they go with it', async (t) => {
  const { virtualNetworks, routes, tunnels } = await open(t)
  const { id: virtualNetworkId } = await virtualNetworks.create({ name: 'site-b' })
  const { id: tunnelId } = await tunnels.create({ name: 'lab' })
  const route = await routes.create({ network: '10.0.0.0/8', tunnelId, virtualNetworkId })
  await assert.rejects(virtualNetworks.delete(virtualNetworkId), {
    code: 'conflict',
    message: /site-b still has 1 route/,
  })
  assert.equal((await virtualNetworks.get(virtualNetworkId))?.deletedAt, undefined)
  assert.equal((await routes.get(route.id))?.deletedAt, undefined)
  await virtualNetworks.delete(virtualNetworkId, true)
  assert.notEqual((await routes.get(route.id))?.deletedAt, undefined)
})

test('what is wrong is named', async (t) => {
  const { virtualNetworks } = await open(t)
  const { id } = await virtualNetworks.create({ name: 'site-b' })
  await assert.rejects(virtualNetworks.create({ name: '' }), {
    code: 'options_invalid',
    message: /^virtual network name/,
  })
  await assert.rejects(virtualNetworks.create({ name: 'x', comment: 'a\nb' }), {
    code: 'options_invalid',
    message: /^comment/,
  })
  await assert.rejects(virtualNetworks.create({ name: 'x', comment: 'x'.repeat(501) }), { message: /at most 500/ })
  await assert.rejects(virtualNetworks.create({ name: 'site-b' }), { code: 'conflict', message: /"site-b" exists/ })
  await assert.rejects(virtualNetworks.update(id, { name: 'default' }), { code: 'conflict' })
  for (const unknown of ['none', '']) {
    await assert.rejects(virtualNetworks.update(unknown, { name: 'y' }), { code: 'not_found' })
    await assert.rejects(virtualNetworks.delete(unknown), { code: 'not_found' })
    assert.equal(await virtualNetworks.get(unknown), undefined)
  }
  await virtualNetworks.delete(id)
  await assert.rejects(virtualNetworks.update(id, { name: 'y' }), { code: 'not_found' })
  assert.equal((await virtualNetworks.list()).length, 1)
})
