/**
 * Every example of the vendor's documents, as it is printed there, under `hawser dev`: what its hosts are is said in `hawser.jsonc`
 * and nowhere else.
 */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import test from 'node:test'
import pg from 'pg'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { startPostgres } from './support/database-servers.ts'
import { DevSite } from './support/dev-site.ts'
import { network } from './support/example.ts'
import { example, pingTarget, readSeed, seedProject, tlsTarget } from './support/seeds.ts'
import { ACCOUNT } from './support/start-tls-site.ts'
import { httpTarget, tcpTarget } from './support/targets.ts'
import type { Target } from './support/targets.ts'

const LIMIT = { timeout: 120_000 }
const TUNNEL = { vpc_networks: [{ binding: 'PRIVATE', tunnel_id: '550e8400-e29b-41d4-a716-446655440000' }] }
/** What a refused address answers (V-301). */
const REFUSED = 'proxy request failed, cannot connect to the specified address'

/** Says the line that it was sent, and hangs up: what a gopher or a finger server does. */
function lineTarget(): Promise<Target> {
  return tcpTarget((socket) => {
    socket.once('data', (line: Buffer) => socket.end(`You asked for ${line.toString()}`))
  })
}

test('overview: the quick start gets its answer over TLS from a private name', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const certificate = await authority.issue({ names: ['db.internal.company.net'] })
  await using database = await tlsTarget(certificate, (socket) => {
    void text(socket).then((query) => socket.end(`rows of ${query.trim()}`))
  })
  await using site = await DevSite.open(seedProject(readSeed('overview'), TUNNEL), {
    hawser: {
      ...network('PRIVATE', { 'db.internal.company.net:5432': database.port }, true),
      tls: [{ match: 'db.internal.company.net:5432', ca: 'ca.pem' }],
    },
    files: { 'ca.pem': authority.caPem },
  })
  assert.equal(await (await site.fetch('/', example('quick-start'))).text(), 'rows of QUERY')
  const flow = await site.saw(/"event":"flow"/)
  assert.deepEqual(
    [flow['binding'], flow['requested'], flow['outcome']],
    ['egress', 'db.internal.company.net:5432', 'ok'],
  )
})

test('TCP sockets: gopher, HTTP by hand, StartTLS and an early close', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const certificate = await authority.issue({ names: ['example-postgres-db.com'] })
  await using gopher = await lineTarget()
  await using web = await tcpTarget((socket) => {
    void text(socket).then((head) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${head.split('\r\n')[0]}`))
  })
  await using database = await tlsTarget(certificate, (socket) => socket.end('encrypted'))
  const hosts = {
    'gopher.floodgap.com:70': gopher.port,
    'google.com:80': web.port,
    'example-postgres-db.com:5432': database.port,
    'my-url.com:70': gopher.port,
  }
  await using site = await DevSite.open(seedProject(readSeed('tcp-sockets'), TUNNEL), {
    hawser: {
      ...network('PRIVATE', hosts, true),
      tls: [{ match: 'example-postgres-db.com:5432', ca: 'ca.pem' }],
    },
    files: { 'ca.pem': authority.caPem },
  })
  const answer = await site.fetch('/world', example('gopher'))
  assert.equal(answer.headers.get('content-type'), 'text/plain')
  assert.equal(await answer.text(), 'You asked for /world\r\n')
  const page = await (await site.fetch('/', example('handle-errors'))).text()
  assert.equal(page, 'HTTP/1.0 200 OK\r\n\r\nGET / HTTP/1.0')
  assert.equal(await (await site.fetch('/', example('start-tls'))).text(), 'encrypted')
  assert.match(await (await site.fetch('/', example('close'))).text(), /^it fails: TypeError: /)
})

test('TCP sockets: addresses that are not allowed are refused in the words of the page', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await DevSite.open(seedProject(readSeed('tcp-sockets'), {}))
  const ask = async (address: string): Promise<string> =>
    (await site.fetch(`/?address=${encodeURIComponent(address)}`, example('troubleshooting'))).text()
  for (const host of ['localhost', '127.0.0.1', '10.0.1.50', '192.168.0.1']) {
    assert.equal(await ask(`${host}:8080`), REFUSED, host)
  }
  assert.equal(await ask('192.0.2.1:25'), 'Connections to port 25 are prohibited')
  assert.equal(await ask(new URL(site.url).host), 'TCP Loop detected')
})

test('TCP sockets: lines that connect in global scope are refused, and it is said what to do', LIMIT, async (t) => {
  assertNoLeaks(t)
  const files = Object.fromEntries(readSeed('tcp-sockets-global-scope'))
  const wrangler = { name: 'seeds', main: 'index.ts', compatibility_date: '2026-06-01' }
  await using site = await DevSite.start({ ...files, 'wrangler.json': JSON.stringify(wrangler) })
  const error = await site.saw(/"event":"error"/)
  assert.match(String(error['message']), /Disallowed operation called within global scope/)
  assert.match(String(error['advice']), /open connections in a handler/)
})

test('announcement: gopher, and TLS that is off, begun later, or asked for by a word of the time', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const certificate = await authority.issue({ names: ['secure.internal'] })
  await using gopher = await lineTarget()
  await using plain = await tcpTarget((socket) => socket.end('in clear'))
  await using secure = await tlsTarget(certificate, (socket) => socket.end('encrypted'))
  const hosts = {
    'gopher.floodgap.com:70': gopher.port,
    'plain.internal:7001': plain.port,
    'secure.internal:7002': secure.port,
  }
  await using site = await DevSite.open(seedProject(readSeed('announcement'), TUNNEL), {
    hawser: { ...network('PRIVATE', hosts, true), tls: [{ match: 'secure.internal:7002', ca: 'ca.pem' }] },
    files: { 'ca.pem': authority.caPem },
  })
  const ask = async (path: string, name: string): Promise<string> => (await site.fetch(path, example(name))).text()
  assert.equal(await ask('/world', 'gopher'), 'You asked for /world\r\n')
  assert.equal(await ask('/off', 'transports'), 'in clear')
  assert.equal(await ask('/starttls', 'transports'), 'encrypted')
  // As in production: the word became "on".
  assert.match(await ask('/use', 'transports'), /^TypeError: Unsupported value in secureTransport socket option: use/)
})

test('announcement: rows by the pg driver; the key of its configuration that is gone is named', LIMIT, async (t) => {
  assertNoLeaks(t)
  const seed = readSeed('announcement-postgres')
  const files = Object.fromEntries(seed)
  await using refused = await DevSite.start(files)
  assert.equal(await refused.ended, 2)
  await refused.says(/"node_compat" field is no longer supported.*nodejs_compat/)

  const authority = await createAuthority()
  await using database = await startPostgres(await authority.issue({ names: ['db.internal'] }))
  if (database === undefined) return t.skip('no PostgreSQL here')
  const { user, password } = ACCOUNT
  const ssl = { ca: authority.caPem, servername: 'db.internal' }
  const admin = new pg.Client({ host: '127.0.0.1', port: database.port, user, password, database: 'postgres', ssl })
  await admin.connect()
  await admin.query("CREATE TABLE customers AS SELECT 1 AS id, 'Ann' AS name")
  await admin.end()
  const config = (files['wrangler.toml'] ?? '')
    .replace('node_compat = true', 'compatibility_flags = ["nodejs_compat"]')
    .replace('2023-05-15', '2024-09-23') // from when on the flag brings what the driver imports
  const bound = `${config}[[vpc_networks]]\nbinding = "PRIVATE"\ntunnel_id = "550e8400-e29b-41d4-a716-446655440000"\n`
  await using site = await DevSite.open(
    { ...files, 'wrangler.toml': bound },
    {
      hawser: {
        ...network('PRIVATE', { 'db.internal:5432': database.port }, true),
        tls: [{ match: 'db.internal:5432', ca: 'ca.pem' }],
      },
      files: {
        'ca.pem': authority.caPem,
        '.dev.vars': `DB="postgres://${user}:${password}@db.internal:5432/postgres?ssl=true"\n`,
      },
    },
  )
  assert.deepEqual(await (await site.fetch()).json(), [{ id: 1, name: 'Ann' }])
})

for (const [what, file] of [
  ['a tunnel', 'tunnel.jsonc'],
  ['the mesh', 'mesh.jsonc'],
] as const) {
  test(`VPC Networks: fetch() and connect() through a binding to ${what}`, LIMIT, async (t) => {
    assertNoLeaks(t)
    await using api = await httpTarget((request, response) => response.end(`${request.headers.host} ${request.url}`))
    await using other = await httpTarget((request, response) => response.end(`${request.headers.host}`))
    await using redis = await pingTarget()
    const seed = readSeed('networks')
    const config = JSON.parse(seed.get(file) ?? '') as Record<string, unknown>
    const hosts = { '10.0.1.50:80': api.port, '10.0.5.42:5432': other.port, '10.0.1.50:6379': redis.port }
    await using site = await DevSite.open(seedProject(seed, config), { hawser: network('MY_VPC', hosts) })
    assert.equal(await (await site.fetch('/', example('http'))).text(), '10.0.1.50 /data')
    const flow = await site.saw(/"event":"flow".*"requested":"http:\/\/10\.0\.5\.42:5432"/)
    assert.deepEqual([flow['binding'], flow['kind'], flow['status']], ['MY_VPC', 'fetch', 200])
    assert.equal(await (await site.fetch('/', example('tcp'))).text(), '+PONG\r\n')

    // "cannot establish a connection: throws an exception"
    await api[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
    for (const name of ['http', 'tcp']) {
      const failed = await site.fetch('/', example(name))
      assert.deepEqual(
        [failed.status, (await failed.text()).split('\n')[0]],
        [500, 'Error: ProxyError: connection_refused'],
      )
    }
  })
}

for (const kind of ['service', 'network'] as const) {
  test(`binding API: the examples that are for both bindings, on a VPC ${kind}`, LIMIT, async (t) => {
    assertNoLeaks(t)
    const authority = await createAuthority()
    await using api = await httpTarget((request, response) => {
      const { host, authorization } = request.headers
      if (request.method === 'GET') return void response.end(JSON.stringify([{ host, path: request.url }]))
      if (authorization !== 'Bearer t0ken') return void response.writeHead(401).end()
      return void request.pipe(response.writeHead(201))
    })
    await using secure = await tlsTarget(await authority.issue({ names: ['10.0.1.50'] }), (socket) => {
      socket.once('data', (head: Buffer) => {
        const [line = ''] = head.toString().split('\r\n')
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\nConnection: close\r\n\r\n${line}`)
      })
    })
    await using redis = await pingTarget()
    const isService = kind === 'service'
    const stands = isService
      ? { services: { MY_BINDING: { host: '127.0.0.1', httpPort: api.port, httpsPort: secure.port } } }
      : network('MY_BINDING', {
          'internal-api.company.local:80': api.port,
          '10.0.1.50:443': secure.port,
          '10.0.1.50:6379': redis.port,
        })
    const config = isService
      ? { vpc_services: [{ binding: 'MY_BINDING', service_id: '0190f6a4-8d7a-7000-8000-5f1c2e9b7a10' }] }
      : { vpc_networks: [{ binding: 'MY_BINDING', network_id: 'cf1:network' }] }
    await using site = await DevSite.open(seedProject(readSeed('binding-api'), config), {
      hawser: { ...stands, tls: [{ match: '10.0.1.50', ca: 'ca.pem' }] },
      files: { 'ca.pem': authority.caPem, '.dev.vars': 'API_TOKEN="t0ken"\n' },
    })
    const ask = async (name: string): Promise<string> => (await site.fetch('/', example(name))).text()
    assert.deepEqual(JSON.parse(await ask('users')), [{ host: 'internal-api.company.local', path: '/users' }])
    assert.deepEqual(JSON.parse(await ask('create')), { name: 'John Doe', email: 'john@example.com' })
    assert.equal(await ask('address'), 'GET /api/data HTTP/1.1')
    if (isService) return
    assert.equal(await ask('connect-text'), '+PONG\r\n')
    assert.equal(await ask('connect-object'), '+PONG\r\n')
  })
}
