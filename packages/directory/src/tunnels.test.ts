import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { HawserError, Secret } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import fc from 'fast-check'
import { openDirectory } from './directory.ts'
import type { TunnelStore } from './tunnels.ts'

const key = Buffer.alloc(32, 1)

/** What a store should hold, kept the simplest way there is. */
interface Model {
  readonly tunnels: { id: string; name: string; deleted: boolean; secret: string }[]
}

/** One call, applied to both; ends with the error code of the store and the one the model expects. */
type Step = (model: Model, store: TunnelStore) => Promise<readonly [got: string, expected: string]>

async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return 'ok'
  } catch (error) {
    if (HawserError.is(error)) return error.code
    throw error
  }
}

const inUse = (model: Model, name: string, except?: string): boolean =>
  model.tunnels.some((tunnel) => !tunnel.deleted && tunnel.name === name && tunnel.id !== except)

const create =
  (name: string, secret: string): Step =>
  async (model, store) => {
    const expected = inUse(model, name) ? 'conflict' : 'ok'
    const got = await outcome(async () => {
      const { id } = await store.create({ name, secret: new Secret(secret) })
      model.tunnels.push({ id, name, deleted: false, secret })
    })
    return [got, expected]
  }

const rename =
  (at: number, name: string): Step =>
  async (model, store) => {
    const tunnel = model.tunnels[at % (model.tunnels.length || 1)]
    const live = tunnel !== undefined && !tunnel.deleted
    const expected = !live ? 'not_found' : inUse(model, name, tunnel.id) ? 'conflict' : 'ok'
    const got = await outcome(() => store.update(tunnel?.id ?? 'none', { name }))
    if (tunnel !== undefined && expected === 'ok') tunnel.name = name
    return [got, expected]
  }

const remove =
  (at: number): Step =>
  async (model, store) => {
    const tunnel = model.tunnels[at % (model.tunnels.length || 1)]
    const expected = tunnel === undefined || tunnel.deleted ? 'not_found' : 'ok'
    const got = await outcome(() => store.delete(tunnel?.id ?? 'none'))
    if (tunnel !== undefined) tunnel.deleted = true
    return [got, expected]
  }

async function sameContents(model: Model, store: TunnelStore): Promise<void> {
  const listed = await store.list({ includeDeleted: true })
  const summary = listed.map(({ id, name, deletedAt }) => `${id} ${name} ${deletedAt !== undefined}`)
  const expected = model.tunnels.map(({ id, name, deleted }) => `${id} ${name} ${deleted}`)
  assert.deepEqual(summary.toSorted(), expected.toSorted())
  assert.equal((await store.list()).length, model.tunnels.filter(({ deleted }) => !deleted).length)
  for (const { id, deleted, secret } of model.tunnels) {
    assert.equal((await store.secretOf(id))?.reveal(), deleted ? undefined : secret)
  }
}

test('any sequence of calls leaves what the same sequence leaves in a plain list', async (t) => {
  assertNoLeaks(t)
  const name = fc.constantFrom('a', 'b', 'c')
  const secret = fc.uint8Array({ minLength: 32, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'))
  const step = fc.oneof(
    fc.tuple(name, secret).map(([called, text]) => create(called, text)),
    fc.tuple(fc.nat(20), name).map(([at, called]) => rename(at, called)),
    fc.nat(20).map(remove),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      await using directory = await openDirectory({ file: ':memory:', key })
      const model: Model = { tunnels: [] }
      for (const each of steps) {
        const [got, expected] = await each(model, directory.tunnels)
        assert.equal(got, expected)
      }
      await sameContents(model, directory.tunnels)
    }),
    { numRuns: 50 },
  )
})

test('names are told apart by every letter, and filters take no patterns', async (t) => {
  assertNoLeaks(t)
  await using directory = await openDirectory({ file: ':memory:', key })
  for (const name of ['lab', 'Lab', 'lab2', '%', 'l_b']) await directory.tunnels.create({ name })
  for (const name of ['lab', 'Lab', '%', 'l_b']) {
    assert.deepEqual(
      (await directory.tunnels.list({ name })).map((tunnel) => tunnel.name),
      [name],
    )
  }
  assert.deepEqual(await directory.tunnels.list({ name: 'la%' }), [])
})

test('no secret shows in a tunnel, a directory or an error', async (t) => {
  assertNoLeaks(t)
  await using directory = await openDirectory({ file: ':memory:', key })
  const text = Buffer.from('a secret of more than thirty-two bytes').toString('base64')
  const secret = new Secret(text)
  const tunnel = await directory.tunnels.create({ name: 'lab', secret })
  const read = await directory.tunnels.secretOf(tunnel.id)
  const conflict = await directory.tunnels.create({ name: 'lab', secret }).catch((error: unknown) => error)
  for (const value of [tunnel, directory, read, conflict]) {
    assert.equal(inspect(value, { depth: 9, showHidden: true }).includes(text), false)
    assert.equal(JSON.stringify(value)?.includes(text) ?? false, false)
  }
})

test('what a caller gave as id is quoted in part at most', async (t) => {
  assertNoLeaks(t)
  await using directory = await openDirectory({ file: ':memory:', key })
  const error = await directory.tunnels.delete('x'.repeat(10_000)).catch((caught: unknown) => caught)
  assert.ok(HawserError.is(error, 'not_found'))
  assert.ok(error.message.length < 120)
})
