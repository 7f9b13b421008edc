import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import type { TestAuthority } from '@hawser/testkit'
import { testLine } from '../test-line.ts'
import { workerProject } from './test-worker.ts'

const limits = { timeout: 30_000 }

interface Checked {
  readonly code: number
  readonly stderr: string
  readonly checks: readonly { key: string; status: string; target?: string; said: string; code?: string }[]
  readonly problems: readonly string[]
}

/** A server of this machine, gone with its scope. */
interface Site extends AsyncDisposable {
  readonly port: number
}

async function listening(server: Server): Promise<Site> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function plainSite(): Promise<Site> {
  return listening(
    createServer((socket) => {
      socket.on('error', () => {}) // `check` may be gone before it has read this
      socket.resume()
      socket.end('hello\n')
    }),
  )
}

async function tlsSite(authority: TestAuthority, names?: readonly string[]): Promise<Site> {
  const { certPem, keyPem } = await authority.issue({ names })
  const server = createTlsServer({ cert: certPem, key: keyPem }, (socket) => {
    socket.on('error', () => {})
    socket.resume()
    socket.end()
  })
  return listening(server.on('tlsClientError', () => {}))
}

/** A port of this machine that nothing listens on. */
async function freePort(): Promise<number> {
  await using site = await listening(createServer())
  return site.port
}

async function check(t: TestContext, hawser: unknown, files: Readonly<Record<string, unknown>> = {}): Promise<Checked> {
  const folder = await workerProject(t, { 'hawser.jsonc': hawser, ...files })
  const { code, stdout, stderr } = await testLine(['check', '-c', folder, '--json'])
  const report = JSON.parse(stdout) as Pick<Checked, 'checks' | 'problems'>
  return { code, stderr, ...report }
}

const office = (hosts: Readonly<Record<string, string>>, more: object = {}): object => ({
  networks: { OFFICE: { hosts } },
  ...more,
})

test('a stand-in that answers is ok', limits, async (t) => {
  assertNoLeaks(t)
  await using site = await plainSite()
  const { port } = site
  const { code, checks, stderr } = await check(t, office({ 'db.internal:5432': `127.0.0.1:${port}` }))
  assert.equal(code, 0, stderr)
  assert.deepEqual(checks[0], {
    binding: 'OFFICE',
    key: "networks.OFFICE.hosts['db.internal:5432']",
    target: `127.0.0.1:${port}`,
    status: 'ok',
    said: 'connected',
  })
})

test('the port of the call counts where the stand-in has none', limits, async (t) => {
  assertNoLeaks(t)
  await using site = await plainSite()
  const { port } = site
  const { checks } = await check(t, office({ [`db.internal:${port}`]: '127.0.0.1' }))
  assert.equal(checks[0]?.target, `127.0.0.1:${port}`)
  assert.equal(checks[0].status, 'ok')
})

test('a stand-in without any port is resolved and no more', limits, async (t) => {
  assertNoLeaks(t)
  const { code, checks } = await check(t, office({ '*.svc.internal': 'localhost', '10.0.0.1': '127.0.0.1' }))
  assert.equal(code, 0)
  assert.match(
    checks[0]?.said ?? '',
    /^resolves to (?:127\.0\.0\.1|::1)[^;]*; the port is the one that the Worker names/,
  )
  assert.equal(checks[1]?.said, 'the port is the one that the Worker names, so no connection was tried')
})

test('where nothing listens that is said, and what to do', limits, async (t) => {
  assertNoLeaks(t)
  const port = await freePort()
  const { code, checks, stderr } = await check(t, office({ 'db.internal:5432': `127.0.0.1:${port}` }))
  assert.equal(code, 1)
  assert.equal(checks[0]?.code, 'connection_refused')
  assert.match(checks[0].said, /^nothing listens there\. Start the service, or correct the entry/)
  assert.match(stderr, /1 of 1 targets cannot be reached \(connection_refused\)/)
})

test('a name that does not resolve is said to', limits, async (t) => {
  assertNoLeaks(t)
  const { code, checks } = await check(t, office({ 'db.internal': 'no-such-host.invalid' }))
  assert.equal(code, 1)
  assert.match(checks[0]?.code ?? '', /^dns_/)
})

test('certificates are judged by the name that the Worker uses, with the configured CA', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using site = await tlsSite(authority, ['api.internal'])
  const { port } = site
  const hosts = {
    'api.internal:443': `127.0.0.1:${port}`,
    'other.internal:443': `127.0.0.1:${port}`,
    'untrusted.internal:443': `127.0.0.1:${port}`,
    'disabled.internal:8443': `127.0.0.1:${port}`,
  }
  const tls = [
    { match: 'api.internal', ca: 'ca.pem' },
    { match: 'other.internal:443', ca: 'ca.pem' },
    { match: '*.internal:8443', verify: 'disabled' },
  ]
  const { code, checks } = await check(t, office(hosts, { tls }), { 'ca.pem': authority.caPem })
  assert.equal(code, 1)
  assert.deepEqual(
    checks.slice(0, 4).map(({ status }) => status),
    ['ok', 'failed', 'failed', 'ok'],
  )
  assert.equal(checks[0]?.said, 'connected, TLSv1.3, its certificate is good for api.internal:443')
  for (const failed of checks.slice(1, 3)) {
    assert.equal(failed.code, 'tls_certificate_error')
    assert.match(failed.said, /^connected, but its certificate is not accepted\. Name its CA/)
  }
  assert.equal(checks[3]?.said, 'connected, TLSv1.3, unverified')
})

test('a service that speaks no TLS where it should is found out', limits, async (t) => {
  assertNoLeaks(t)
  await using site = await plainSite()
  const { port } = site
  const { checks } = await check(t, office({ 'api.internal:443': `127.0.0.1:${port}` }))
  assert.equal(checks[0]?.code, 'tls_protocol_error')
  assert.match(checks[0].said, /^connected, but there was no TLS/)
})

test('each port of a service is tried, TLS by anybody', limits, async (t) => {
  assertNoLeaks(t)
  await using https = await tlsSite(await createAuthority())
  await using http = await plainSite()
  const ports = { httpPort: http.port, httpsPort: https.port, tcpPort: await freePort() }
  const services = { API: { host: '127.0.0.1', ...ports } }
  const { code, checks } = await check(t, { services })
  assert.equal(code, 1)
  assert.deepEqual(
    checks.slice(1).map(({ key, status }) => [key, status]),
    [
      ['services.API.httpPort', 'ok'],
      ['services.API.httpsPort', 'ok'],
      ['services.API.tcpPort', 'failed'],
    ],
  )
})

test('without a hawser.jsonc everything is this machine, and all is well', limits, async (t) => {
  assertNoLeaks(t)
  const folder = await workerProject(t)
  const { code, stdout } = await testLine(['check', '-c', folder])
  assert.equal(code, 0)
  assert.match(stdout, /^In order: .*wrangler\.json \(there is no hawser\.jsonc\)\n/)
  assert.match(stdout, /^- {7}networks\.OFFICE: every host is this machine, on the port that the Worker names$/m)
  assert.match(stdout, /^- {7}services\.API: no entry: it is this machine/m)
})

test('the problems of the files are results, and the exit code is 2', limits, async (t) => {
  assertNoLeaks(t)
  const { code, problems, checks, stderr } = await check(t, '{ "egres": 1,\n "tls": 5 }')
  assert.equal(code, 2)
  assert.deepEqual(checks, [])
  assert.deepEqual(problems.map((line) => line.replace(/^.*hawser\.jsonc/, '')).toSorted(), [
    ':1:3: unknown key "egres"; allowed: egress, networks, services, tls, limits',
    ':2:9: "tls" must be a list, [ … ], got 5',
  ])
  assert.match(stderr, /the configuration is not in order; what is wrong is above \(config_invalid\)/)
})

test('a token is looked into, its edge tried, and it is never shown', limits, async (t) => {
  assertNoLeaks(t)
  await using site = await plainSite()
  const edge = `127.0.0.1:${site.port}`
  const fields = { client: 'c', secret: 'A'.repeat(44), edges: [edge], ca: (await createAuthority()).caPem }
  const token = (of: object): string => Buffer.from(JSON.stringify(of)).toString('base64')
  const right = await check(t, { networks: { OFFICE: { token: token(fields) } } })
  assert.equal(right.code, 0)
  const [tried, rest] = right.checks
  assert.deepEqual([tried?.key, tried?.status, tried?.target], ['networks.OFFICE.token', 'ok', edge])
  assert.match(rest?.said ?? '', /^every host is in the real network, through the edge of the token/)
  const wrong = await check(t, { networks: { OFFICE: { token: token({ ...fields, secret: 'hunter2' }) } } })
  assert.equal(wrong.code, 2)
  assert.match(
    wrong.problems[0] ?? '',
    /^hawser\.jsonc: "networks\.OFFICE\.token": not the token of a client: the secret/,
  )
  assert.doesNotMatch(JSON.stringify([right, wrong]), /eyJ|hunter2|AAAA/)
})

test('stand-ins of public hosts are tried, unless production refuses the host', limits, async (t) => {
  assertNoLeaks(t)
  await using site = await plainSite()
  const to = `127.0.0.1:${site.port}`
  const hosts = { 'db.example.com:5432': to, '10.0.0.5:80': to, 'db.localhost': to, 'mail.example.com:25': to }
  const { code, checks, stderr } = await check(t, { egress: { hosts } })
  assert.equal(code, 0, stderr)
  const [db, ...refused] = checks.filter(({ key }) => key.startsWith('egress.'))
  assert.deepEqual([db?.key, db?.status, db?.target], ["egress.hosts['db.example.com:5432']", 'ok', to])
  assert.deepEqual(
    refused.map(({ status, said }) => `${status} ${/\((.*?)\)/.exec(said)?.[1]}`),
    ['untried blocked-destinations/private', 'untried blocked-names/localhost', 'untried blocked-port/25'],
  )
})
