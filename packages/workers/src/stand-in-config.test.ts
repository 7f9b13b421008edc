/** `"networks"` and `"services"` of `hawser.jsonc`: what they become, and what is wrong with what they may not be. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { inspect } from 'node:util'
import { HawserError } from '@hawser/core'
import { readHawserFile } from './hawser-config.ts'
import type { HawserFile } from './hawser-config.ts'
import { writeProject } from './test-project.ts'

const BINDINGS = { networks: ['OFFICE', 'constructor'], services: ['API', 'DB'] }
const TOKEN = Buffer.from('{"client":"1","secret":"very secret"}').toString('base64')

async function read(t: TestContext, text: string, bindings = BINDINGS): Promise<HawserFile> {
  const folder = await writeProject(t, { 'hawser.jsonc': text })
  return readHawserFile(join(folder, 'wrangler.jsonc'), bindings)
}

test('hosts are kept in their order, in the one form of each', async (t) => {
  const hosts = { '10.0.1.50': '127.0.0.1', 'DB.internal:5432': 'LOCALHOST:55432', '*.svc.internal': '[::1]:80' }
  const { config } = await read(t, JSON.stringify({ networks: { OFFICE: { hosts } } }))
  assert.deepEqual(config.networks['OFFICE'], {
    hosts: [
      { match: { host: '10.0.1.50' }, host: '127.0.0.1', written: '10.0.1.50' },
      { match: { host: 'db.internal', port: 5432 }, host: 'localhost', port: 55_432, written: 'DB.internal:5432' },
      { match: { host: '*.svc.internal' }, host: '::1', port: 80, written: '*.svc.internal' },
    ],
  })
})

test('a binding without an entry has none, whatever it is called', async (t) => {
  const { config } = await read(t, '{ "networks": { "OFFICE": {} }, "services": {} }')
  assert.deepEqual(config.networks['OFFICE'], { hosts: [] })
  assert.equal(config.networks['constructor'], undefined)
  assert.equal(config.services['toString'], undefined)
})

test('a token is a secret', async (t) => {
  const { config } = await read(t, JSON.stringify({ networks: { OFFICE: { token: TOKEN } } }))
  assert.equal(config.networks['OFFICE']?.token?.reveal(), TOKEN)
  assert.ok(!inspect(config, { depth: 9 }).includes(TOKEN))
})

test('a service has a host and the ports that are given', async (t) => {
  const services = { API: { host: 'Api.test', httpPort: 1, httpsPort: 65_535 }, DB: { host: '::1', tcpPort: 5432 } }
  const { config } = await read(t, JSON.stringify({ services }))
  assert.deepEqual(
    { ...config.services },
    { API: { host: 'api.test', httpPort: 1, httpsPort: 65_535 }, DB: { host: '::1', tcpPort: 5432 } },
  )
})

test('without the bindings of a Worker every name is accepted', async (t) => {
  const folder = await writeProject(t, { 'hawser.jsonc': '{ "networks": { "ANY": {} } }' })
  const { config } = await readHawserFile(join(folder, 'wrangler.jsonc'))
  assert.deepEqual(Object.keys(config.networks), ['ANY'])
})

const NAME = 'a host name, an IP address, or "*." and a name'
const PORT = 'must be a port from 1 to 65535'
const hosts = (entries: string): string => `{ "networks": { "OFFICE": { "hosts": { ${entries} } } } }`
const service = (entries: string): string => `{ "services": { "API": { ${entries} } } }`

/** The file → what is said of it, after its name. */
const BAD: readonly [text: string, ...said: string[]][] = [
  ['{ "networks": [] }', ':1:15: "networks" must be an object, { … }, got []'],
  ['{ "networks": { "OFFICE": "127.0.0.1" } }', ':1:27: "networks.OFFICE" must be an object, { … }, got "127.0.0.1"'],
  [
    '{ "networks": { "OFFICE": { "host": {} } } }',
    ':1:29: unknown key "host"; allowed: hosts, token, tunnel, virtualNetwork',
  ],
  [
    '{ "networks": { "HOME": {} } }',
    ':1:17: "networks" must name bindings of "vpc_networks" (there are: "OFFICE", "constructor"), got "HOME"',
  ],
  [
    '{ "networks": { "API": {} } }',
    ':1:17: "networks" must name bindings of "vpc_networks" (there are: "OFFICE", "constructor"), got "API"; "API" is one of "vpc_services", so it belongs under "services"',
  ],
  [hosts('"a": 5'), ':1:45: "networks.OFFICE.hosts.a" must be a string, got 5'],
  [hosts('"a": ""'), ':1:45: "networks.OFFICE.hosts.a" must be a string that is not empty, got ""'],
  [hosts('"a": null'), ':1:45: "networks.OFFICE.hosts.a" must be a string, got null'],
  [hosts('"a": "*.b"'), ':1:45: "networks.OFFICE.hosts.a" must be one host, got "*.b"'],
  [
    hosts('"a": "b:0"'),
    ':1:45: "networks.OFFICE.hosts.a" must be followed by a port from 1 to 65535, or by none, got "b:0"',
  ],
  [hosts('"a": "b c"'), `:1:45: "networks.OFFICE.hosts.a" must be ${NAME}, got "b c"`],
  [hosts('"*": "b"'), `:1:40: "networks.OFFICE.hosts" must have keys that are ${NAME}, got "*"`],
  [hosts('"10.0.0.0/8": "b"'), `:1:40: "networks.OFFICE.hosts" must have keys that are ${NAME}, got "10.0.0.0/8"`],
  [
    hosts('"a": "b", "A:": "c"'),
    ':1:50: "networks.OFFICE.hosts" must have keys that are followed by a port from 1 to 65535, or by none, got "A:"',
  ],
  [hosts('"a": "b", "A.": "c"'), ':1:50: "networks.OFFICE.hosts" has "A.", which means the same as "a"'],
  ['{ "networks": { "OFFICE": { "token": 5 } } }', ':1:38: "networks.OFFICE.token" must be a string, got [secret]'],
  [
    '{ "networks": { "OFFICE": { "token": "hunter2" } } }',
    ':1:38: "networks.OFFICE.token" must be the token of a client, as `hawser client token` prints it',
  ],
  [`{ "networks": { "OFFICE": "${TOKEN}" } }`, ':1:27: "networks.OFFICE" must be an object, { … }, got "[secret]"'],
  [
    `{ "networks": [{ "token": "hunter2" }, "${TOKEN}"] }`,
    ':1:15: "networks" must be an object, { … }, got [{"token":"[secret]"},"[secret]"]',
  ],
  ['{ "services": "API" }', ':1:15: "services" must be an object, { … }, got "API"'],
  ['{ "services": { "API": 8080 } }', ':1:24: "services.API" must be an object, { … }, got 8080'],
  [
    '{ "services": { "api": { "host": "a" } } }',
    ':1:17: "services" must name bindings of "vpc_services" (there are: "API", "DB"), got "api"',
  ],
  [service('"httpPort": 80'), ':1:24: "services.API.host" must be a string, got nothing'],
  [service('"host": "a", "port": 80'), ':1:39: unknown key "port"; allowed: host, httpPort, httpsPort, tcpPort'],
  [
    service('"host": "a:80"'),
    ':1:34: "services.API.host" must be a host without a port, which goes into "httpPort", "httpsPort" or "tcpPort", got "a:80"',
  ],
  [service('"host": "*.a"'), ':1:34: "services.API.host" must be one host, got "*.a"'],
  [
    service('"host": "http://a"'),
    ':1:34: "services.API.host" must be followed by a port from 1 to 65535, or by none, got "http://a"',
  ],
  ...(['httpPort', 'httpsPort', 'tcpPort'] as const).flatMap((key): [string, string][] =>
    ['0', '65536', '-1', '1.5', '"80"', 'true', 'null'].map((value) => [
      service(`"host": "a", "${key}": ${value}`),
      `:1:${43 + key.length}: "services.API.${key}" ${PORT}, got ${value}`,
    ]),
  ),
  [
    '{ "networks": { "X": { "hosts": { "*": "*" } } },\n "services": { "X": { "host": "" } } }',
    ':2:31: "services.X.host" must be a string that is not empty, got ""',
  ],
  [
    '{ "networks": { "X": { "hosts": { "*": "*" } } },\n "services": { "X": { "host": "*" } } }',
    `:1:35: "networks.X.hosts" must have keys that are ${NAME}, got "*"`,
    `:1:40: "networks.X.hosts['*']" must be one host, got "*"`,
    ':2:31: "services.X.host" must be one host, got "*"',
    ':1:17: "networks" must name bindings of "vpc_networks" (there are: "OFFICE", "constructor"), got "X"',
    ':2:16: "services" must name bindings of "vpc_services" (there are: "API", "DB"), got "X"',
  ],
]

for (const [text, ...said] of BAD) {
  test(`hawser.jsonc of ${JSON.stringify(text.replaceAll(TOKEN, 'a token'))} is refused with its place`, async (t) => {
    await assert.rejects(read(t, text), (error) => {
      assert.ok(HawserError.is(error, 'config_invalid'))
      const lines = error.message.split('\n').map((line) => line.replace(/^.*hawser\.jsonc/, ''))
      assert.deepEqual(lines, said)
      assert.doesNotMatch(error.message, /hunter2|eyJ/)
      return true
    })
  })
}

test('a Worker without such bindings says that there are none', async (t) => {
  await assert.rejects(read(t, '{ "services": { "A": { "host": "a" } } }', { networks: [], services: [] }), {
    code: 'config_invalid',
    message: /"services" must name bindings of "vpc_services" \(there are none\), got "A"$/,
  })
})
