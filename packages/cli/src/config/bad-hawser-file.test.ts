/** `hawser.jsonc` written wrongly, as `hawser check` tells it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { testBadInput } from './test-bad-input.ts'
import type { BadRow } from './test-bad-input.ts'

const OBJECT = 'must be an object, { … }'
const TUNNEL_TOKEN = Buffer.from('{"a":"0","t":"1","s":"hunter2"}').toString('base64')
const EGRESS = 'must be the name of a binding, or an object, { … }'
const NAME = 'a host name, an IP address, or "*." and a name'
const HOST_PORT = 'followed by a port from 1 to 65535, or by none'
const PORT = 'must be a port from 1 to 65535'
const TOP = 'allowed: egress, networks, services, tls, limits'
const TLS = 'allowed: match, ca, cert, key, verify, serverName, minVersion'

const hosts = (entries: string): string => `{ "networks": { "OFFICE": { "hosts": { ${entries} } } } }`
const service = (entries: string): string => `{ "services": { "API": { ${entries} } } }`
const tls = (entries: string): string => `{ "tls": [{ ${entries} }] }`

/** The file → what is said of it, after its name. */
const FILES: readonly [text: string, ...says: string[]][] = [
  // the form
  ['', ':1:1: expected a value, got the end of the file'],
  ['{ "egress": "OFFICE"', ':1:21: expected "}", got the end of the file'],
  ['{ egress: "OFFICE" }', ':1:3: expected JSON, where names and texts stand in double quotes, got egress'],
  ['{ "egress" = "OFFICE" }', ':1:12: expected JSON', 'got ='],
  ['{ "egress": "OFFICE" "tls": [] }', ':1:22: expected "," or the closing bracket, got "tls'],
  ['{ "egress": "OFFICE", "egress": "A" }', ':1:23: expected each key once, got "egress" again'],
  ['["OFFICE"]', ':1:1: expected an object, { … }, got ["OFFICE"]'],
  // keys
  ['{ "network": {} }', ':1:3: unknown key "network"', TOP],
  ['{ "gateway": [] }', ':1:3: unknown key "gateway"', TOP],
  ['{ "faults": [] }', ':1:3: unknown key "faults"', TOP],
  ['{ "networks": { "OFFICE": { "hots": {} } } }', ':1:29: unknown key "hots"; allowed: hosts, token, tunnel'],
  ['{ "networks": { "OFFICE": { "tunnel": 7 } } }', ':1:39: "networks.OFFICE.tunnel" must be a string, got 7'],
  [service('"host": "a", "port": 80'), ':1:39: unknown key "port"; allowed: host, httpPort, httpsPort, tcpPort'],
  [tls('"match": "a", "cA": "x"'), ':1:27: unknown key "cA"', TLS],
  ['{ "limits": { "connection": 6 } }', ':1:15: unknown key "connection"; allowed: connections'],
  // egress
  ['{ "egress": 1 }', `:1:13: "egress" ${EGRESS}, got 1`],
  ['{ "egress": "" }', ':1:13: "egress" must be a string that is not empty, got ""'],
  ['{ "egress": ["OFFICE"] }', `:1:13: "egress" ${EGRESS}, got ["OFFICE"]`],
  ['{ "egress": { "host": {} } }', ':1:15: unknown key "host"; allowed: binding, hosts'],
  ['{ "egress": { "binding": 1 } }', ':1:26: "egress.binding" must be a string, got 1'],
  ['{ "egress": { "binding": "HOME" } }', ':1:26: "egress" must name a binding', 'there are: "OFFICE"', 'got "HOME"'],
  ['{ "egress": { "hosts": [] } }', `:1:24: "egress.hosts" ${OBJECT}, got []`],
  ['{ "egress": { "hosts": { "a": 1 } } }', ':1:31: "egress.hosts.a" must be a string, got 1'],
  ['{ "egress": { "hosts": { "a/b": "c" } } }', `:1:26: "egress.hosts" must have keys that are ${NAME}, got "a/b"`],
  ['{ "egress": { "hosts": { "a": "b:0" } } }', `:1:31: "egress.hosts.a" must be ${HOST_PORT}, got "b:0"`],
  ['{ "egress": { "hosts": { "a": "*.b" } } }', ':1:31: "egress.hosts.a" must be one host, got "*.b"'],
  [
    '{ "egress": "HOME" }',
    ':1:13: "egress" must name a binding of "vpc_networks"',
    'there are: "OFFICE"',
    'got "HOME"',
  ],
  ['{ "egress": "API" }', ':1:13: "egress" must name a binding of "vpc_networks"', 'there are: "OFFICE"', 'got "API"'],
  // networks
  ['{ "networks": ["OFFICE"] }', `:1:15: "networks" ${OBJECT}, got ["OFFICE"]`],
  ['{ "networks": { "HOME": {} } }', ':1:17: "networks" must name bindings', 'there are: "OFFICE"', 'got "HOME"'],
  ['{ "networks": { "API": {} } }', ':1:17: "networks" must name', 'got "API"', 'so it belongs under "services"'],
  ['{ "networks": { "OFFICE": true } }', `:1:27: "networks.OFFICE" ${OBJECT}, got true`],
  ['{ "networks": { "OFFICE": { "hosts": [] } } }', `:1:38: "networks.OFFICE.hosts" ${OBJECT}, got []`],
  [hosts('"10.0.0.0/8": "a"'), `:1:40: "networks.OFFICE.hosts" must have keys that are ${NAME}, got "10.0.0.0/8"`],
  [hosts('"a:http": "a"'), `:1:40: "networks.OFFICE.hosts" must have keys that are ${HOST_PORT}, got "a:http"`],
  [hosts('"a": 5432'), ':1:45: "networks.OFFICE.hosts.a" must be a string, got 5432'],
  [hosts('"a": "b:99999"'), `:1:45: "networks.OFFICE.hosts.a" must be ${HOST_PORT}, got "b:99999"`],
  [hosts('"a": "*.b"'), ':1:45: "networks.OFFICE.hosts.a" must be one host, got "*.b"'],
  [hosts('"a": "b", "A": "c"'), ':1:50: "networks.OFFICE.hosts" has "A", which means the same as "a"'],
  [
    '{ "networks": { "OFFICE": { "token": "hunter2" } } }',
    ':1:38: "networks.OFFICE.token" must be the token of a client, as `hawser client token` prints it',
  ],
  [
    `{ "networks": { "OFFICE": { "token": "${TUNNEL_TOKEN}" } } }`,
    ':1:38: "networks.OFFICE.token" must be the token of a client',
    'this is the token of a tunnel',
  ],
  ['{ "networks": { "OFFICE": { "token": ["hunter2"] } } }', ':1:38: "networks.OFFICE.token" must be a string, got'],
  // services
  [service('"httpPort": 80'), ':1:24: "services.API.host" must be a string, got nothing'],
  [service('"host": "a:80"'), ':1:34: "services.API.host" must be a host without a port', 'got "a:80"'],
  [service('"host": "http://a/"'), `:1:34: "services.API.host" must be ${HOST_PORT}, got "http://a/"`],
  [service('"host": "a", "httpPort": 0'), `:1:51: "services.API.httpPort" ${PORT}, got 0`],
  [service('"host": "a", "httpsPort": "443"'), `:1:52: "services.API.httpsPort" ${PORT}, got "443"`],
  [service('"host": "a", "tcpPort": 70000'), `:1:50: "services.API.tcpPort" ${PORT}, got 70000`],
  ['{ "services": { "DB": { "host": "a" } } }', ':1:17: "services" must name bindings', 'there are: "API"', 'got "DB"'],
  // tls
  ['{ "tls": { "match": "a" } }', ':1:10: "tls" must be a list, [ … ], got {"match":"a"}'],
  [tls('"ca": "ca.pem"'), ':1:11: "tls[0].match" must be a string, got nothing'],
  [tls('"match": "*"'), `:1:22: "tls[0].match" must be ${NAME}, got "*"`],
  [tls('"match": "a", "ca": "none.pem"'), ':1:33: "tls[0].ca" none.pem: there is no such file'],
  [tls('"match": "a", "ca": "index.js"'), ':1:33: "tls[0].ca" index.js: there is no PEM certificate in it'],
  [tls('"match": "a", "cert": "index.js"'), ':1:35: "tls[0].cert" needs "key" beside it'],
  [
    tls('"match": "a", "verify": "off"'),
    ':1:37: "tls[0].verify" must be one of "verify_full", "verify_ca"',
    'got "off"',
  ],
  [tls('"match": "a", "minVersion": "TLSv1"'), ':1:41: "tls[0].minVersion" must be one of "TLSv1.2"', 'got "TLSv1"'],
  // limits
  ['{ "limits": [] }', `:1:13: "limits" ${OBJECT}, got []`],
  ['{ "limits": { "connections": -1 } }', ':1:30: "limits.connections" must be a whole number from 0', 'got -1'],
  ['{ "limits": { "connections": "6" } }', ':1:30: "limits.connections" must be a whole number', 'got "6"'],
  ['{ "limits": { "connections": 1e9 } }', 'to 10000, got 1000000000'],
]

/** How many rows the tables of bad input have to have at least, all three together. */
const ROWS: readonly BadRow[] = FILES.map(([text, first = '', ...says]) => ({
  line: 'check -c $',
  files: { 'hawser.jsonc': text },
  says: [first.startsWith(':') ? `./hawser.jsonc${first}` : first, './hawser.jsonc:', ...says],
}))

test('half of the 80 rows of bad input are about hawser.jsonc', () => {
  assert.ok(ROWS.length >= 40)
})

testBadInput(ROWS)
