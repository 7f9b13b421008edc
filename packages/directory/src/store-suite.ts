import assert from 'node:assert/strict'
import { Secret } from '@hawser/core'
import type { Directory } from './directory.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** What the stores promise on every engine: by the title of its test, a body that is given an empty directory. */
export const STORE_SUITE: Readonly<Record<string, (directory: Directory) => Promise<void>>> = {
  'a tunnel has an id, a name, a birth date and a secret of 32 bytes': async ({ tunnels }) => {
    const tunnel = await tunnels.create({ name: 'lab' })
    assert.match(tunnel.id, UUID)
    assert.match(tunnel.createdAt, ISO)
    assert.deepEqual(tunnel, { id: tunnel.id, name: 'lab', createdAt: tunnel.createdAt, deletedAt: undefined })
    assert.deepEqual(await tunnels.get(tunnel.id), tunnel)
    const secret = await tunnels.secretOf(tunnel.id)
    assert.equal(Buffer.from(secret?.reveal() ?? '', 'base64').length, 32)
  },

  'each tunnel has a secret of its own, or the one it was given': async ({ tunnels }) => {
    const given = new Secret(Buffer.alloc(48, 7).toString('base64'))
    const [one, two, three] = await Promise.all([
      tunnels.create({ name: 'one' }),
      tunnels.create({ name: 'two' }),
      tunnels.create({ name: 'three', secret: given }),
    ])
    const secrets = await Promise.all([one, two, three].map(({ id }) => tunnels.secretOf(id)))
    const texts = secrets.map((secret) => secret?.reveal())
    assert.equal(new Set(texts).size, 3)
    assert.equal(texts[2], given.reveal())
  },

  'a secret that is no base64 of 32 to 1024 bytes is refused, without being quoted': async ({ tunnels }) => {
    const short = Buffer.alloc(31).toString('base64')
    const long = Buffer.alloc(1_025).toString('base64')
    for (const text of ['', 'hunter2', `${'A'.repeat(43)}!`, short, long, Buffer.alloc(32).toString('base64url')]) {
      await assert.rejects(tunnels.create({ name: 'x', secret: new Secret(text) }), {
        code: 'options_invalid',
        message: 'tunnel secret: expected base64 of 32 to 1024 bytes, got something else',
      })
    }
    assert.deepEqual(await tunnels.list({ includeDeleted: true }), [])
  },

  'a tunnel may be made under an id that a configuration names; not under another text, and not twice': async ({
    tunnels,
  }) => {
    const id = '550e8400-e29b-41d4-a716-446655440000'
    assert.equal((await tunnels.create({ name: 'named' }, id)).id, id)
    assert.notEqual(await tunnels.secretOf(id), undefined)
    await assert.rejects(tunnels.create({ name: 'again' }, id), { code: 'conflict' })
    await assert.rejects(tunnels.create({ name: 'other' }, '../etc'), {
      code: 'options_invalid',
      message: /expected a UUID in lower case, got "..\/etc"/,
    })
  },

  'bad names are refused with the rule they break': async ({ tunnels, apiTokens }) => {
    const bad: Readonly<Record<string, RegExp>> = {
      '': /must not be empty/,
      ' \t ': /must not be empty/,
      ['x'.repeat(101)]: /at most 100 characters, got 101/,
      'a\nb': /control characters/,
      'a\u0000': /control characters/,
      'a\u001b[31m': /control characters/,
      'a\u202eb': /control characters/,
      'a\ud800': /control characters/,
      ' a': /begin or end with a blank/,
    }
    for (const [name, message] of Object.entries(bad)) {
      await assert.rejects(tunnels.create({ name }), { code: 'options_invalid', message }, JSON.stringify(name))
      await assert.rejects(apiTokens.create(name), { code: 'options_invalid', message }, JSON.stringify(name))
    }
    for (const name of [
      'x'.repeat(100),
      '🚢'.repeat(100),
      'Büro Köln',
      "o'brien; drop table tunnels",
      'a b',
      '%',
      '-',
    ]) {
      assert.equal((await tunnels.create({ name })).name, name)
      assert.equal((await tunnels.list({ name })).length, 1, name)
    }
  },

  'a name in use is a conflict, also for two that come at once': async ({ tunnels }) => {
    const tunnel = await tunnels.create({ name: 'lab' })
    await assert.rejects(tunnels.create({ name: 'lab' }), { code: 'conflict', message: /"lab" exists already/ })
    const race = await Promise.allSettled([tunnels.create({ name: 'race' }), tunnels.create({ name: 'race' })])
    assert.deepEqual(race.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const other = await tunnels.create({ name: 'other' })
    await assert.rejects(tunnels.update(other.id, { name: 'lab' }), { code: 'conflict' })
    assert.equal((await tunnels.update(tunnel.id, { name: 'lab' })).name, 'lab')
  },

  'a deleted tunnel keeps its row, loses its secret, and frees its name': async ({ tunnels }) => {
    const tunnel = await tunnels.create({ name: 'lab' })
    const deleted = await tunnels.delete(tunnel.id)
    assert.match(deleted.deletedAt ?? '', ISO)
    assert.deepEqual(await tunnels.get(tunnel.id), deleted)
    assert.equal(await tunnels.secretOf(tunnel.id), undefined)
    const next = await tunnels.create({ name: 'lab' })
    assert.deepEqual(await tunnels.list(), [next])
    assert.equal(next.id === tunnel.id, false)
    const all = await tunnels.list({ includeDeleted: true })
    assert.deepEqual(new Set(all), new Set([deleted, next])) // made within one millisecond, they have no order in time
    await tunnels.delete(next.id)
    assert.equal((await tunnels.list({ name: 'lab', includeDeleted: true })).length, 2)
  },

  'what is not there is said to be not there': async ({ tunnels, apiTokens }) => {
    const gone = await tunnels.create({ name: 'gone' })
    await tunnels.delete(gone.id)
    for (const id of [gone.id, 'f3c1ab9e-6f0b-4e0f-8f5c-0a0b0c0d0e0f', 'no uuid', '']) {
      await assert.rejects(tunnels.delete(id), { code: 'not_found' })
      await assert.rejects(tunnels.update(id, { name: 'x' }), { code: 'not_found' })
      await assert.rejects(tunnels.update(id, {}), { code: 'not_found' })
      await assert.rejects(apiTokens.revoke(id), { code: 'not_found' })
      assert.equal(await tunnels.secretOf(id), undefined)
    }
    assert.equal(await tunnels.get('no uuid'), undefined)
  },

  'a tunnel can be renamed, given another secret, both, or neither': async ({ tunnels }) => {
    const tunnel = await tunnels.create({ name: 'old' })
    const secret = new Secret(Buffer.alloc(32, 9).toString('base64'))
    assert.deepEqual(await tunnels.update(tunnel.id, {}), tunnel)
    assert.deepEqual(await tunnels.update(tunnel.id, { name: 'new' }), { ...tunnel, name: 'new' })
    assert.notEqual((await tunnels.secretOf(tunnel.id))?.reveal(), secret.reveal())
    await tunnels.update(tunnel.id, { secret })
    assert.equal((await tunnels.secretOf(tunnel.id))?.reveal(), secret.reveal())
    assert.equal((await tunnels.get(tunnel.id))?.name, 'new')
    await assert.rejects(tunnels.update(tunnel.id, { name: '' }), { code: 'options_invalid' })
    await assert.rejects(tunnels.update(tunnel.id, { secret: new Secret('short') }), { code: 'options_invalid' })
  },

  'lists are in the order of creation': async ({ tunnels }) => {
    const names = ['c', 'a', 'b', 'e', 'd']
    for (const name of names) {
      const { createdAt } = await tunnels.create({ name })
      while (new Date().toISOString() === createdAt) await new Promise(setImmediate) // times have millisecond steps
    }
    assert.deepEqual(
      (await tunnels.list()).map(({ name }) => name),
      names,
    )
  },

  'a token is verified by its text alone, until it is revoked': async ({ apiTokens }) => {
    const { id, token } = await apiTokens.create('ci')
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.match(token.reveal(), /^hawser_[A-Za-z0-9_-]{43}$/)
    assert.deepEqual(await apiTokens.verify(token.reveal()), { id, name: 'ci' })
    const listed = await apiTokens.list()
    assert.deepEqual(listed, [{ id, name: 'ci', createdAt: listed[0]?.createdAt }])
    await apiTokens.revoke(id)
    assert.equal(await apiTokens.verify(token.reveal()), undefined)
    assert.deepEqual(await apiTokens.list(), [])
  },

  "no other text is anybody's token": async ({ apiTokens }) => {
    const { id, token } = await apiTokens.create('ci')
    const text = token.reveal()
    const last = text.endsWith('A') ? 'B' : 'A'
    const near = [
      text.slice(0, -1),
      text.slice(0, -1) + last,
      `${text}A`,
      ` ${text}`,
      text.toUpperCase(),
      text.slice(7),
    ]
    for (const wrong of ['', id, 'hawser_', 'x'.repeat(1e6), "' or '1'='1", `hawser_${'A'.repeat(43)}`, ...near]) {
      assert.equal(await apiTokens.verify(wrong), undefined)
    }
  },

  'token names are in use until they are revoked': async ({ apiTokens }) => {
    const { id } = await apiTokens.create('ci')
    await assert.rejects(apiTokens.create('ci'), { code: 'conflict', message: /"ci" exists already/ })
    await apiTokens.revoke(id)
    await apiTokens.create('ci')
  },

  'many writers at once lose nothing': async ({ tunnels }) => {
    const names = Array.from({ length: 100 }, (_, at) => `tunnel ${at}`)
    await Promise.all(names.map((name) => tunnels.create({ name })))
    const listed = await tunnels.list()
    assert.deepEqual(listed.map(({ name }) => name).toSorted(), names.toSorted())
    await Promise.all(listed.map(({ id }) => tunnels.delete(id)))
    assert.deepEqual(await tunnels.list(), [])
  },

  'closing waits for what is under way': async (directory) => {
    const created = Array.from({ length: 20 }, (_, at) => directory.tunnels.create({ name: `tunnel ${at}` }))
    await Promise.all([directory.close(), ...created])
  },

  'a closed directory refuses queries with a code, and closes twice': async (directory) => {
    assert.match(directory.accountId, /^[0-9a-f]{32}$/)
    await Promise.all([directory.close(), directory.close()])
    await assert.rejects(directory.tunnels.list(), { code: 'storage_failed', message: /could not list tunnels/ })
    await assert.rejects(directory.apiTokens.create('x'), { code: 'storage_failed' })
  },
}
