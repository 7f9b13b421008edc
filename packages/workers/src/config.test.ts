import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { CapturedLog } from '@hawser/testkit'
import { readWorkerConfig } from './config.ts'
import type { WorkerConfig } from './config.ts'
import { wranglerConfig, writeProject } from './test-project.ts'

const NETWORK = { binding: 'PRIVATE', tunnel_id: 't-1' }

async function read(
  t: TestContext,
  files: Readonly<Record<string, unknown>>,
  environment?: string,
): Promise<{ config: WorkerConfig; log: CapturedLog; folder: string }> {
  const folder = await writeProject(t, files)
  const log = new CapturedLog()
  const config = await readWorkerConfig({ configPath: folder, environment, logger: log })
  return { config, log, folder }
}

test('jsonc, json and toml say the same', async (t) => {
  const toml = [
    'name = "test-worker"',
    'main = "index.ts"',
    'compatibility_date = "2026-07-01"',
    '[vars]',
    'GREETING = "hi"',
    '[[vpc_networks]]',
    'binding = "PRIVATE"',
    'tunnel_id = "t-1"',
    'remote = true',
  ].join('\n')
  const json = wranglerConfig({ vars: { GREETING: 'hi' }, vpc_networks: [NETWORK] })
  const jsonc = `// a comment\n${JSON.stringify(json).replace(/\}$/, ',}')}`
  for (const files of [{ 'wrangler.toml': toml }, { 'wrangler.json': json }, { 'wrangler.jsonc': jsonc }]) {
    const { config, log, folder } = await read(t, files)
    const [file = ''] = Object.keys(files)
    assert.equal(config.name, 'test-worker')
    assert.equal(config.path, join(folder, file))
    assert.equal(config.main, join(folder, 'index.ts'))
    assert.deepEqual(config.vars, { GREETING: 'hi' })
    assert.deepEqual(config.networks, [{ binding: 'PRIVATE', network: { kind: 'tunnel', tunnelId: 't-1' } }])
    assert.deepEqual(config.files, [join(folder, file)])
    assert.deepEqual(log.at('warn'), [])
  }
})

test('a file is taken by its path too, and of several in a folder the one wrangler takes', async (t) => {
  const folder = await writeProject(t, {
    'wrangler.toml': 'name = "from-toml"\nmain = "a.js"',
    'wrangler.jsonc': wranglerConfig({ name: 'from-jsonc' }),
  })
  const logger = new CapturedLog()
  assert.equal((await readWorkerConfig({ configPath: folder, logger })).name, 'from-jsonc')
  assert.equal((await readWorkerConfig({ configPath: join(folder, 'wrangler.toml'), logger })).name, 'from-toml')
})

test('remote may be true, false or absent: the binding is served all the same', async (t) => {
  const entries = [true, false, undefined].map((remote, index) => ({ ...NETWORK, binding: `B${index}`, remote }))
  const { config } = await read(t, { 'wrangler.json': wranglerConfig({ vpc_networks: entries }) })
  assert.deepEqual(
    config.networks.map(({ binding }) => binding),
    ['B0', 'B1', 'B2'],
  )
})

test('a named environment has its own name, bindings and variables', async (t) => {
  const staging = { vars: { A: '2' }, vpc_networks: [{ binding: 'PRIVATE', tunnel_id: 't-2' }] }
  const file = wranglerConfig({ vars: { A: '1' }, vpc_networks: [NETWORK], env: { staging } })
  const top = await read(t, { 'wrangler.json': file })
  const named = await read(t, { 'wrangler.json': file }, 'staging')
  assert.deepEqual(
    [top.config.name, top.config.vars, top.config.networks[0]?.network],
    ['test-worker', { A: '1' }, { kind: 'tunnel', tunnelId: 't-1' }],
  )
  assert.deepEqual(
    [named.config.name, named.config.vars, named.config.networks[0]?.network],
    ['test-worker-staging', { A: '2' }, { kind: 'tunnel', tunnelId: 't-2' }],
  )
})

test('networks by id and VPC Services are read too', async (t) => {
  const file = wranglerConfig({
    vpc_networks: [NETWORK, { binding: 'ALL', network_id: 'cf1:network' }],
    vpc_services: [{ binding: 'DB', service_id: 's-1', remote: true }],
  })
  const { config } = await read(t, {
    'wrangler.json': file,
    'hawser.jsonc': { services: { DB: { host: '127.0.0.1', tcpPort: 5432 } } },
  })
  assert.deepEqual(config.networks[1], { binding: 'ALL', network: { kind: 'network', networkId: 'cf1:network' } })
  assert.deepEqual(config.services, [{ binding: 'DB', serviceId: 's-1' }])
  assert.deepEqual(config.standIns.services['DB'], { host: '127.0.0.1', tcpPort: 5432 })
})

test('wrangler’s warnings go to the log', async (t) => {
  const file = wranglerConfig({ vpc_networks: [NETWORK], unheard_of: 1, env: { staging: {} } })
  const { log, config } = await read(t, { 'wrangler.json': file }, 'staging')
  assert.deepEqual(config.networks, [])
  const text = log
    .at('warn')
    .map(({ message }) => message)
    .join('\n')
  assert.match(text, /Unexpected fields found in top-level field: "unheard_of"/)
  assert.match(text, /"vpc_networks" exists at the top level, but not on "env\.staging"/)
})

test('a required secret without a value is named with its key and its place', async (t) => {
  const text = '{ "name": "a", "main": "index.js", "compatibility_date": "2026-01-01",\n'
  const top = `${text}  "secrets": { "required": ["KEY", "ABSENT"] } }`
  const inner = `${text}  "env": { "staging": { "secrets": { "required": ["ABSENT"] } } } }`
  const said = async (file: string, environment?: string): Promise<string> => {
    const { log } = await read(t, { 'wrangler.jsonc': file, '.dev.vars': 'KEY=1' }, environment)
    return log.at('warn')[0]?.message ?? ''
  }
  assert.match(await said(top), /wrangler\.jsonc:2:36: "secrets\.required\[1\]" asks for ABSENT, which has no value/)
  assert.match(await said(inner, 'staging'), /:2:\d+: "env\.staging\.secrets\.required\[0\]" asks for ABSENT/)
  const toml = 'name = "a"\nmain = "index.js"\ncompatibility_date = "2026-01-01"\n[secrets]\nrequired = ["ABSENT"]\n'
  const { log } = await read(t, { 'wrangler.toml': toml })
  assert.match(log.at('warn')[0]?.message ?? '', /wrangler\.toml: "secrets\.required\[0\]" asks for ABSENT/)
})

test('an environment of a file that has none is the top level, with wrangler’s own warning', async (t) => {
  const { config, log } = await read(t, { 'wrangler.json': wranglerConfig({ vpc_networks: [NETWORK] }) }, 'staging')
  assert.equal(config.networks.length, 1)
  assert.match(log.at('warn')[0]?.message ?? '', /No environment found in configuration with name "staging"/)
})

test('egress names a binding of the environment that runs', async (t) => {
  const env = { staging: { vpc_networks: [{ binding: 'OTHER', tunnel_id: 't-2' }] } }
  const files = {
    'wrangler.json': wranglerConfig({ vpc_networks: [NETWORK], env }),
    'hawser.jsonc': '{ "egress": "OTHER" }',
  }
  const { config, folder } = await read(t, files, 'staging')
  assert.deepEqual(config.egress, { binding: 'OTHER', network: { kind: 'tunnel', tunnelId: 't-2' } })
  assert.deepEqual(config.files, [join(folder, 'wrangler.json'), join(folder, 'hawser.jsonc')])
  await assert.rejects(read(t, files), {
    code: 'config_invalid',
    message:
      /hawser\.jsonc:1:13: "egress" must name a binding of "vpc_networks" \(there are: "PRIVATE"\), got "OTHER"$/,
  })
})

test('egress without any network says that there are none', async (t) => {
  const files = { 'wrangler.json': wranglerConfig(), 'hawser.jsonc': { egress: 'X' } }
  await assert.rejects(read(t, files), { code: 'config_invalid', message: /\(there are none\), got "X"$/ })
})

/** A configuration that is wrong → what the message must say. Strings are whole files. */
const BAD: readonly [name: string, file: string | Record<string, unknown>, said: RegExp][] = [
  ['no main', { main: undefined }, /"main" is missing: the path of the Worker's entry point/],
  ['main of the wrong type', { main: 3 }, /Expected "main" to be of type string but got 3/],
  [
    'Python',
    { main: 'worker.py', compatibility_flags: ['python_workers'] },
    /"main": Python Workers are not supported/,
  ],
  [
    'a Pages project',
    { pages_build_output_dir: './dist' },
    /"pages_build_output_dir": Pages projects are not supported/,
  ],
  [
    'a name with spaces',
    { name: 'Bad Name' },
    /Expected "name" to be of type string, alphanumeric and lowercase with dashes only/,
  ],
  ['a date that is none', { compatibility_date: 'soon' }, /"compatibility_date" field should be a valid ISO-8601 date/],
  [
    'flags that are no list',
    { compatibility_flags: 'nodejs_compat' },
    /Expected "compatibility_flags" to be of type string array/,
  ],
  [
    'a network with both ids',
    { vpc_networks: [{ ...NETWORK, network_id: 'cf1:network' }] },
    /"vpc_networks\[0\]" bindings must have either a "tunnel_id" or "network_id", but not both\./,
  ],
  [
    'a network with neither id',
    { vpc_networks: [{ binding: 'A' }] },
    /must have either a "tunnel_id" or "network_id" field but got \{"binding":"A"\}/,
  ],
  [
    'a tunnel id that is a number',
    { vpc_networks: [{ binding: 'A', tunnel_id: 4 }] },
    /must have a string "tunnel_id" field but got/,
  ],
  [
    'a network without a name',
    { vpc_networks: [{ tunnel_id: 't' }] },
    /bindings should have a string "binding" field but got/,
  ],
  ['a network that is a string', { vpc_networks: ['t'] }, /"vpc_networks" bindings should be objects, but got "t"/],
  ['networks that are no list', { vpc_networks: NETWORK }, /The field "vpc_networks" should be an array/],
  [
    'one name for two networks',
    { vpc_networks: [NETWORK, { ...NETWORK, tunnel_id: 't-2' }] },
    /PRIVATE assigned to multiple VPC Network bindings/,
  ],
  [
    'one name for a network and a variable',
    { vars: { PRIVATE: '1' }, vpc_networks: [NETWORK] },
    /PRIVATE assigned to .* bindings/,
  ],
  ['a VPC Service without an id', { vpc_services: [{ binding: 'DB' }] }, /bindings must have a "service_id" field/],
  [
    'a KV namespace without a name',
    { kv_namespaces: [{ id: 'a' }] },
    /"kv_namespaces\[0\]" bindings should have a string "binding" field/,
  ],
  [
    'a Durable Object without a class',
    { durable_objects: { bindings: [{ name: 'A' }] } },
    /binding should have a string "class_name" field/,
  ],
  [
    'Python without its flag',
    { main: 'worker.py' },
    /The `python_workers` compatibility flag is required to use Python\./,
  ],
  ['queues that are a list', { queues: [] }, /"queues"/],
  ['jsonc with a bare word', '{ "name": "a",\n  bad }', /wrangler\.jsonc:2:3: expected JSON, .+, got bad$/],
  ['jsonc that stops', '{ "name": "a"', /wrangler\.jsonc:1:14: expected "}", got the end of the file$/],
  ['an empty file', '', /wrangler\.jsonc:1:1: expected a value, got the end of the file$/],
  ['a list', '[]', /wrangler\.jsonc: expected an object, got \[\]/],
  ['a string', '"worker"', /wrangler\.jsonc: expected an object, got "worker"/],
  ['null', 'null', /wrangler\.jsonc: expected an object, got null/],
]

for (const [name, file, said] of BAD) {
  test(`refused: ${name}`, async (t) => {
    const content = typeof file === 'string' ? file : wranglerConfig(file)
    await assert.rejects(read(t, { 'wrangler.jsonc': content }), (error) => {
      assert.ok(HawserError.is(error, 'config_invalid'), String(error))
      assert.match(error.message, said)
      assert.match(error.message, /wrangler\.jsonc/, 'the message names the file')
      return true
    })
  })
}

test('refused: toml that does not parse, with its place', async (t) => {
  await assert.rejects(read(t, { 'wrangler.toml': 'name = "a"\nmain = = 3\n' }), {
    code: 'config_invalid',
    message: /wrangler\.toml:2:8: Invalid TOML document/,
  })
})

test('refused: an environment that is not there, naming those that are', async (t) => {
  const file = wranglerConfig({ env: { staging: {}, production: {} } })
  await assert.rejects(read(t, { 'wrangler.json': file }, 'prod'), {
    code: 'config_invalid',
    message: /No environment found in configuration with name "prod"[^]*\["staging","production"\]/,
  })
})

test('refused: a path that leads nowhere, to an empty folder, or to another kind of file', async (t) => {
  const folder = await writeProject(t, { 'worker.yaml': 'name: a' })
  const logger = new CapturedLog()
  for (const [configPath, message] of [
    [join(folder, 'missing.jsonc'), /missing\.jsonc: no such file$/],
    [join(folder, 'worker.yaml', 'x'), /no such file$/],
    [folder, /the folder has none of wrangler\.json, wrangler\.jsonc, wrangler\.toml$/],
    [join(folder, 'worker.yaml'), /expected a file named \*\.json, \*\.jsonc, \*\.toml$/],
  ] as const) {
    await assert.rejects(readWorkerConfig({ configPath, logger }), { code: 'config_invalid', message })
  }
})

test('a network binding may name the virtual network whose routes it takes; a tunnel binding may not', async (t) => {
  const [byNetwork, byTunnel] = [
    { binding: 'MESH', network_id: 'cf1:network' },
    { binding: 'OFFICE', tunnel_id: 't-1' },
  ]
  const project = (binding: string): Record<string, unknown> => ({
    'wrangler.json': wranglerConfig({ vpc_networks: [byNetwork, byTunnel] }),
    'hawser.jsonc': `{ "networks": { "${binding}": { "virtualNetwork": "site-b" } } }`,
  })
  const { config } = await read(t, project('MESH'))
  assert.deepEqual(
    config.networks.map(({ network }) => network),
    [
      { kind: 'network', networkId: 'cf1:network', virtualNetwork: 'site-b' },
      { kind: 'tunnel', tunnelId: 't-1' },
    ],
  )
  await assert.rejects(read(t, project('OFFICE')), {
    code: 'config_invalid',
    message: /hawser\.jsonc:1:\d+: "networks\.OFFICE\.virtualNetwork" is for a binding with a "network_id"/,
  })
})
