import assert from 'node:assert/strict'
import test from 'node:test'
import { composeFile } from './compose-file.ts'

test('what was answered is written, in the order of the answers', () => {
  const text = composeFile({
    schema: './schema.json',
    egress: 'OFFICE',
    networks: [
      {
        binding: 'OFFICE',
        hosts: [
          ['db.internal:5432', '127.0.0.1:55432'],
          ['*.internal', '127.0.0.1'],
        ],
      },
    ],
    services: [{ binding: 'API', host: '127.0.0.1', httpPort: 8080, tcpPort: 5432 }],
  })
  assert.equal(
    text,
    `{
  "$schema": "./schema.json",
  // The global connect() and node:net go through this binding.
  "egress": "OFFICE",
  // What stands in for private hosts; every other host of the network is this machine.
  "networks": {
    "OFFICE": {
      "hosts": {
        "db.internal:5432": "127.0.0.1:55432",
        "*.internal": "127.0.0.1",
      },
    },
  },
  // Where the VPC Services are; one without an entry is this machine, on the port that the Worker names.
  "services": {
    "API": {
      "host": "127.0.0.1",
      "httpPort": 8080,
      "tcpPort": 5432,
    },
  },
  // "tls": [{ "match": "db.internal:5432", "ca": "ca.pem" }],
}
`,
  )
})

test('what was not answered is an example to go on from', () => {
  const text = composeFile({ networks: [{ binding: 'A', hosts: [] }], services: [{ binding: 'B' }] })
  assert.match(text, /\/\/ "egress": "A",/)
  assert.match(text, /"A": \{\n +"hosts": \{\n +\/\/ "db\.internal:5432": "127\.0\.0\.1:55432",/)
  assert.match(text, /"services": \{\n +\/\/ "B": \{"host":"127\.0\.0\.1",/)
})

test('without bindings there is next to nothing to write', () => {
  assert.equal(
    composeFile({ networks: [], services: [] }),
    `{
  // What stands in for public hosts, for connect(), node:net and fetch() without a binding.
  // "egress": { "hosts": { "db.example.com:5432": "127.0.0.1:55432" } },
  // "tls": [{ "match": "db.internal:5432", "ca": "ca.pem" }],
}
`,
  )
})

test('stand-ins of public hosts are an object, beside the binding where there is one', () => {
  const hosts = [['db.example.com:5432', '127.0.0.1:55432']] as const
  const text = composeFile({ egress: 'A', publicHosts: hosts, networks: [], services: [] })
  assert.match(text, /"egress": \{\n    "binding": "A",\n    "hosts": \{\n      "db\.example\.com:5432": "127/)
  assert.doesNotMatch(composeFile({ publicHosts: hosts, networks: [], services: [] }), /"binding"/)
})
