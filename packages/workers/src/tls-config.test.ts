/** `"tls"` of `hawser.jsonc`: what it becomes, and what is wrong with what it may not be. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { join, relative } from 'node:path'
import { before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { createAuthority } from '@hawser/testkit'
import type { TestCertificate } from '@hawser/testkit'
import { readHawserFile } from './hawser-config.ts'
import type { HawserFile } from './hawser-config.ts'
import { writeProject } from './test-project.ts'

let caPem: string
let client: TestCertificate
let files: Record<string, string>

before(async () => {
  const authority = await createAuthority()
  caPem = authority.caPem
  client = await authority.issue({ names: ['client'], usage: 'client' })
  const other = await authority.issue()
  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  })
  files = {
    'ca.pem': caPem,
    'two.pem': `# two\n${caPem}\n${caPem}`,
    'client.pem': client.certPem,
    'client.key': client.keyPem,
    'other.key': other.keyPem,
    'encrypted.key': encrypted.privateKey,
    'empty.pem': '',
    'damaged.pem': `${caPem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    'damaged.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  }
})

async function read(t: TestContext, text: string): Promise<HawserFile> {
  const pems = Object.fromEntries(Object.entries(files).map(([name, content]) => [`certs/${name}`, content]))
  const folder = await writeProject(t, { 'hawser.jsonc': text, ...pems })
  return readHawserFile(join(folder, 'wrangler.jsonc'))
}

test('entries become rules in their order, with the files they name', async (t) => {
  const text = `{
    "tls": [
      { "match": "db.internal:5432", "ca": "certs/two.pem", "cert": "./certs/client.pem", "key": "certs/client.key" },
      { "match": "*.Internal", "verify": "verify_ca", "serverName": "Gateway.example", "minVersion": "TLSv1.3" },
      { "match": "[::1]:6380", "verify": "disabled" }, // a comment
    ],
  }`
  const { config, files: named } = await read(t, text)
  const shown = config.tls.map(({ keyPem, ...rule }) => ({ ...rule, key: keyPem?.reveal() }))
  const none = { verify: undefined, serverName: undefined, minVersion: undefined }
  assert.deepEqual(shown, [
    {
      ...none,
      host: 'db.internal',
      port: 5432,
      caPem: files['two.pem'],
      certPem: client.certPem,
      key: client.keyPem,
    },
    {
      host: '*.internal',
      verify: 'verify_ca',
      serverName: 'gateway.example',
      minVersion: 'TLSv1.3',
      key: undefined,
    },
    { ...none, host: '::1', port: 6380, verify: 'disabled', key: undefined },
  ])
  assert.deepEqual(
    named.map((path) => relative(join(named[0] ?? '', '..'), path)),
    ['hawser.jsonc', 'certs/two.pem', 'certs/client.pem', 'certs/client.key'],
  )
})

const NAME = 'must be a host name, an IP address, or "*." and a name, got'
const KEYS = 'match, ca, cert, key, verify, serverName, minVersion'

/** What stands in the list → what is said of it, after the file's name. */
const BAD: readonly [entries: string, ...said: string[]][] = [
  ['"db.internal"', ':1:12: "tls[0]" must be an object, { … }, got "db.internal"'],
  ['null', ':1:12: "tls[0]" must be an object, { … }, got null'],
  ['{}', ':1:12: "tls[0].match" must be a string, got nothing'],
  ['{ "match": "" }', ':1:23: "tls[0].match" must be a string that is not empty, got ""'],
  ['{ "match": 5 }', ':1:23: "tls[0].match" must be a string, got 5'],
  ['{ "match": ["a", "b"] }', ':1:23: "tls[0].match" must be a string, got ["a","b"]'],
  ['{ "match": "*" }', `:1:23: "tls[0].match" ${NAME} "*"`],
  ['{ "match": "db:0" }', ':1:23: "tls[0].match" must be followed by a port from 1 to 65535, or by none, got "db:0"'],
  ['{ "match": "a" }, { "match": "10.0.0.0/8" }', `:1:41: "tls[1].match" ${NAME} "10.0.0.0/8"`],
  [
    '{ "match": "a:1" }, { "match": "A:1" }',
    ':1:43: "tls[1].match" repeats that of tls[0], which comes first and so would always count',
  ],
  ['{ "match": "a", "host": "b" }', `:1:28: unknown key "host"; allowed: ${KEYS}`],
  [
    '{ "match": "a", "verify": "none" }',
    ':1:38: "tls[0].verify" must be one of "verify_full", "verify_ca", "disabled", got "none"',
  ],
  [
    '{ "match": "a", "verify": false }',
    ':1:38: "tls[0].verify" must be one of "verify_full", "verify_ca", "disabled", got false',
  ],
  [
    '{ "match": "a", "minVersion": "TLSv1.1" }',
    ':1:42: "tls[0].minVersion" must be one of "TLSv1.2", "TLSv1.3", got "TLSv1.1"',
  ],
  ['{ "match": "a", "minVersion": 1.2 }', ':1:42: "tls[0].minVersion" must be one of "TLSv1.2", "TLSv1.3", got 1.2'],
  ['{ "match": "a", "serverName": "" }', ':1:42: "tls[0].serverName" must be a string that is not empty, got ""'],
  ['{ "match": "a", "serverName": "*.b" }', ':1:42: "tls[0].serverName" must be one host name, got "*.b"'],
  ['{ "match": "a", "serverName": "10.0.0.5" }', `:1:42: "tls[0].serverName" ${NAME} "10.0.0.5"`],
  ['{ "match": "a", "serverName": "b:443" }', `:1:42: "tls[0].serverName" ${NAME} "b:443"`],
  ['{ "match": "a", "ca": "certs/none.pem" }', ':1:34: "tls[0].ca" certs/none.pem: there is no such file'],
  ['{ "match": "a", "ca": "certs" }', ':1:34: "tls[0].ca" certs: it is a folder'],
  [
    '{ "match": "a", "ca": "certs/empty.pem" }',
    ':1:34: "tls[0].ca" certs/empty.pem: there is no PEM certificate in it (-----BEGIN CERTIFICATE-----)',
  ],
  [
    '{ "match": "a", "ca": "certs/damaged.pem" }',
    ':1:34: "tls[0].ca" certs/damaged.pem: certificate 2 of 2 in it is damaged',
  ],
  ['{ "match": "a", "ca": ["certs/ca.pem"] }', ':1:34: "tls[0].ca" must be a string, got ["certs/ca.pem"]'],
  ['{ "match": "a", "cert": "certs/client.pem" }', ':1:36: "tls[0].cert" needs "key" beside it'],
  ['{ "match": "a", "key": "certs/client.key" }', ':1:35: "tls[0].key" needs "cert" beside it'],
  [
    '{ "match": "a", "cert": "certs/client.pem", "key": "certs/client.pem" }',
    ':1:63: "tls[0].key" certs/client.pem: there is no PEM private key in it (-----BEGIN PRIVATE KEY-----)',
  ],
  [
    '{ "match": "a", "cert": "certs/client.pem", "key": "certs/encrypted.key" }',
    ':1:63: "tls[0].key" certs/encrypted.key: the private key in it is encrypted; store it without a passphrase',
  ],
  [
    '{ "match": "a", "cert": "certs/client.pem", "key": "certs/damaged.key" }',
    ':1:63: "tls[0].key" certs/damaged.key: the private key in it is damaged',
  ],
  [
    '{ "match": "a", "cert": "certs/client.pem", "key": "certs/other.key" }',
    ':1:63: "tls[0].key" certs/other.key is not the key of the certificate in certs/client.pem',
  ],
  [
    '{ "match": "*", "ca": "none", "serverName": "*" }',
    `:1:23: "tls[0].match" ${NAME} "*"`,
    ':1:56: "tls[0].serverName" must be one host name, got "*"',
    ':1:34: "tls[0].ca" none: there is no such file',
  ],
]

for (const [entries, ...said] of BAD) {
  test(`"tls": [${entries}] is refused with its place`, async (t) => {
    await assert.rejects(read(t, `{ "tls": [ ${entries} ] }`), (error) => {
      assert.ok(HawserError.is(error, 'config_invalid'))
      const lines = error.message.split('\n').map((line) => line.replace(/^.*hawser\.jsonc/, ''))
      assert.deepEqual(lines, said)
      assert.ok(!error.message.includes('PRIVATE KEY-----\n'), 'the text of a key stays out of messages')
      return true
    })
  })
}
