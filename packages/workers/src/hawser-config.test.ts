import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { readHawserFile } from './hawser-config.ts'
import { writeProject } from './test-project.ts'

async function project(t: TestContext, text?: string): Promise<string> {
  const folder = await writeProject(t, text === undefined ? {} : { 'hawser.jsonc': text })
  return join(folder, 'wrangler.jsonc')
}

test('without a file there is no configuration', async (t) => {
  const file = await readHawserFile(await project(t))
  assert.deepEqual(file.config, { networks: {}, services: {}, egress: { hosts: [] }, tls: [] })
  assert.deepEqual(file.files, [])
})

test('comments, trailing commas and $schema are accepted, and values are located', async (t) => {
  const path = await project(t, '{\n  // where connect() goes\n  "$schema": "x",\n  "egress": "PRIVATE",\n}\n')
  const file = await readHawserFile(path)
  assert.equal(file.config.egressBinding, 'PRIVATE')
  assert.deepEqual(file.config.tls, [])
  assert.equal(file.config.connectionLimit, undefined)
  assert.equal(file.locate('egress'), `${relative('', file.files[0] ?? '')}:4:13`)
})

test('the binding of egress may stand in an object, beside the stand-ins of public hosts', async (t) => {
  const egress = { binding: 'PRIVATE', hosts: { 'DB.example.com:5432': 'localhost:55432', 'api.example.com': '::1' } }
  const { config } = await readHawserFile(await project(t, JSON.stringify({ egress })))
  assert.equal(config.egressBinding, 'PRIVATE')
  assert.deepEqual(config.egress.hosts, [
    {
      match: { host: 'db.example.com', port: 5432 },
      host: 'localhost',
      port: 55_432,
      written: 'DB.example.com:5432',
    },
    { match: { host: 'api.example.com' }, host: '::1', written: 'api.example.com' },
  ])
  assert.equal((await readHawserFile(await project(t, '{ "egress": {} }'))).config.egressBinding, undefined)
})

test('the limit of connections is a number, 0 included', async (t) => {
  for (const connections of [0, 1, 10_000]) {
    const { config } = await readHawserFile(await project(t, JSON.stringify({ limits: { connections } })))
    assert.equal(config.connectionLimit, connections)
  }
  assert.equal((await readHawserFile(await project(t, '{ "limits": {} }'))).config.connectionLimit, undefined)
})

const EGRESS = 'the name of a binding, or an object, { … }'
const NUMBER = 'a whole number from 0, for no limit, to 10000'

/** What is wrong → what is said of it, after the file's name. */
const BAD: readonly [text: string, said: string][] = [
  ['', ':1:1: expected a value, got the end of the file'],
  ['{ "egress": }', ':1:13: expected a value, got }'],
  ['{\n  egress: "A"\n}', ':2:3: expected JSON, where names and texts stand in double quotes, got egress'],
  ['[]', ':1:1: expected an object, { … }, got []'],
  ['"egress"', ':1:1: expected an object, { … }, got "egress"'],
  ['{ "egress": 5 }', `:1:13: "egress" must be ${EGRESS}, got 5`],
  ['{ "egress": null }', `:1:13: "egress" must be ${EGRESS}, got null`],
  ['{ "egress": ["A"] }', `:1:13: "egress" must be ${EGRESS}, got ["A"]`],
  ['{ "egress": { "to": "A" } }', ':1:15: unknown key "to"; allowed: binding, hosts'],
  ['{ "egress": { "binding": "" } }', ':1:26: "egress.binding" must be a string that is not empty, got ""'],
  ['{ "egress": "" }', ':1:13: "egress" must be a string that is not empty, got ""'],
  ['{ "egres": "A" }', ':1:3: unknown key "egres"; allowed: egress, networks, services, tls, limits'],
  ['{\n  "egress": "A",\n  "tls": {}\n}', ':3:10: "tls" must be a list, [ … ], got {}'],
  ['{ "limits": 6 }', ':1:13: "limits" must be an object, { … }, got 6'],
  ['{ "limits": { "connection": 6 } }', ':1:15: unknown key "connection"; allowed: connections'],
  ['{ "limits": { "connections": "6" } }', `:1:30: "limits.connections" must be ${NUMBER}, got "6"`],
  ['{ "limits": { "connections": -1 } }', `:1:30: "limits.connections" must be ${NUMBER}, got -1`],
  ['{ "limits": { "connections": 1.5 } }', `:1:30: "limits.connections" must be ${NUMBER}, got 1.5`],
  ['{ "limits": { "connections": 10001 } }', `:1:30: "limits.connections" must be ${NUMBER}, got 10001`],
  ['{ "limits": { "connections": null } }', `:1:30: "limits.connections" must be ${NUMBER}, got null`],
  ['{ "$schema": 1 }', ':1:14: "$schema" must be a string, got 1'],
]

for (const [text, said] of BAD) {
  test(`hawser.jsonc of ${JSON.stringify(text)} is refused with its place`, async (t) => {
    const path = await project(t, text)
    await assert.rejects(readHawserFile(path), (error) => {
      assert.ok(HawserError.is(error, 'config_invalid'))
      assert.equal(error.message, `${relative('', join(path, '..', 'hawser.jsonc'))}${said}`)
      return true
    })
  })
}

test('every problem has a line of its own', async (t) => {
  const path = await project(t, '{ "a": 1,\n  "b": 2,\n  "egress": 3 }')
  await assert.rejects(readHawserFile(path), (error) => {
    assert.ok(HawserError.is(error, 'config_invalid'))
    const lines = error.message.split('\n').map((line) => line.replace(/^.*hawser\.jsonc/, ''))
    assert.deepEqual(lines.toSorted(), [
      ':1:3: unknown key "a"; allowed: egress, networks, services, tls, limits',
      ':2:3: unknown key "b"; allowed: egress, networks, services, tls, limits',
      `:3:13: "egress" must be ${EGRESS}, got 3`,
    ])
    return true
  })
})
