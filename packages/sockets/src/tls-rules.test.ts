import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import type { TestAuthority, TestCertificate } from '@hawser/testkit'
import { parseAddress } from './address.ts'
import { createConnect } from './connect.ts'
import { compileTlsRules } from './tls-rules.ts'
import type { TlsRule } from './tls-rules.ts'

let authority: TestAuthority
let server: TestCertificate
let client: TestCertificate

before(async () => {
  authority = await createAuthority()
  server = await authority.issue()
  client = await authority.issue({ names: ['client'], usage: 'client' })
})

/** True if a rule with this pattern is the one for the address. */
function matches(match: string, address: string): boolean {
  const options = compileTlsRules([{ match, serverName: 'found.example' }])(parseAddress(address))
  return options.servername === 'found.example'
}

for (const [pattern, yes, no] of [
  ['db.example', ['db.example:1', 'DB.Example:2'], ['adb.example:1', 'db.example.com:1', 'x.db.example:1']],
  ['DB.example', ['db.example:1'], ['db2.example:1']],
  ['db.example:5432', ['db.example:5432'], ['db.example:5433']],
  ['*.example', ['a.example:1', 'b.a.example:1'], ['example:1', 'aexample:1', 'a.example.com:1']],
  ['*.example:25', ['a.example:25'], ['a.example:26']],
  ['*', ['a:1', '10.0.0.1:2', '[::1]:3'], []],
  ['*:443', ['a:443', '[::1]:443'], ['a:444']],
  ['10.0.0.5', ['10.0.0.5:1', '10.0.5:1', '0xa000005:1'], ['10.0.0.6:1', 'x10.0.0.5:1']],
  ['10.0.0.0/8', ['10.255.1.2:1', '10.0.0.0:9'], ['11.0.0.1:1', 'ten.example:1', '[::1]:1']],
  ['10.0.0.0/8:5432', ['10.1.1.1:5432'], ['10.1.1.1:5433']],
  ['[::1]', ['[::1]:1', '[0:0:0:0:0:0:0:1]:2'], ['[::2]:1', '127.0.0.1:1']],
  ['[fd00::]/8', ['[fd12::1]:1'], ['[fe80::1]:1']],
  ['[fd00::]/8:5432', ['[fd12::1]:5432'], ['[fd12::1]:1']],
] as const) {
  test(`the pattern ${pattern} matches what it says and nothing else`, () => {
    for (const address of yes) assert.equal(matches(pattern, address), true, address)
    for (const address of no) assert.equal(matches(pattern, address), false, address)
  })
}

test('the first rule that matches counts', () => {
  const policy = compileTlsRules([
    { match: 'a.example', serverName: 'first' },
    { match: '*.example', serverName: 'second' },
  ])
  assert.equal(policy(parseAddress('a.example:1')).servername, 'first')
  assert.equal(policy(parseAddress('b.example:1')).servername, 'second')
  assert.equal(policy(parseAddress('other:1')).servername, 'other')
})

test('the name in a rule outranks the one that startTls() was given, which outranks the host', () => {
  const policy = compileTlsRules([{ match: 'a.example', serverName: 'rule' }])
  assert.equal(policy(parseAddress('a.example:1'), 'given').servername, 'rule')
  assert.equal(policy(parseAddress('b.example:1'), 'given').servername, 'given')
  assert.equal(policy(parseAddress('b.example:1')).servername, 'b.example')
})

test('an IP is verified as an IP, and not sent as a name', () => {
  const options = compileTlsRules([])(parseAddress('[::1]:1'))
  assert.deepEqual([options.host, options.servername], ['::1', undefined])
})

test('verification cannot be switched off by the environment', () => {
  assert.equal(compileTlsRules([])(parseAddress('a:1')).rejectUnauthorized, true)
})

const PEM = '-----BEGIN nonsense-----'
for (const [rule, message] of [
  [null, /^tls\[0\]: expected an object/],
  [{}, /^tls\[0\]\.match: expected a host/],
  [{ match: '' }, /^tls\[0\]\.match: expected a host.*got $/],
  [{ match: 'a b:c' }, /^tls\[0\]\.match/],
  [{ match: 'db*.example' }, /^tls\[0\]\.match: a \* stands for/],
  [{ match: '10.0.0.0/33' }, /^tls\[0\]\.match: 10\.0\.0\.0\/33 is no IP network/],
  [{ match: 'a.example/8' }, /^tls\[0\]\.match: a\.example\/8 is no IP network/],
  [{ match: '*', CA: 'x' }, /^tls\[0\]\.CA: no such field; there are match, ca, cert/],
  [{ match: '*', cert: PEM }, /^tls\[0\]: cert and key go together$/],
  [{ match: '*', key: PEM }, /^tls\[0\]: cert and key go together$/],
  [{ match: '*', cert: PEM, key: PEM }, /^tls\[0\]: ca, cert or key is not usable/],
  [{ match: '*', ca: '/no/such/file.pem' }, /^tls\[0\]\.ca: ENOENT/],
  [{ match: '*', verify: 'never' }, /^tls\[0\]\.verify: expected verify_full, verify_ca or disabled, got never$/],
  [{ match: '*', minVersion: 'TLSv1.1' }, /^tls\[0\]\.minVersion: expected TLSv1\.2 or TLSv1\.3, got TLSv1\.1$/],
] as const) {
  test(`${JSON.stringify(rule)} is refused where it is given`, () => {
    assert.throws(() => createConnect({ tls: [rule as unknown as TlsRule] }), { name: 'TypeError', message })
  })
}

test('settings that do not exist are refused', () => {
  assert.throws(() => createConnect({ rules: [] } as object), { name: 'TypeError', message: /^rules: no such setting/ })
  assert.throws(() => createConnect({ tls: {} as never }), { name: 'TypeError', message: /^tls: expected an array/ })
})

/** A TLS server that says who it took the client for; answers with how the handshake went. */
async function greeting(t: TestContext, options: TlsOptions, rule: Omit<TlsRule, 'match'>): Promise<string> {
  const listener = createServer(options, (socket: TLSSocket) => {
    socket.on('error', () => {})
    const peer = socket.getPeerCertificate()
    const text = `${socket.getProtocol()} ${Object.keys(peer).length > 0 ? String(peer.subject.CN) : 'nobody'}`
    setImmediate(() => socket.end(text)) // within the event of the handshake Node ends without a farewell
  })
  listener.on('tlsClientError', () => {})
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  const connect = createConnect({ tls: [{ match: '127.0.0.1', ...rule }] })
  const socket = connect(`127.0.0.1:${port}`, { secureTransport: 'on', signal: t.signal })
  try {
    return await new Response(socket.readable).text()
  } catch {
    return String(((await socket.opened.catch((error: unknown) => error)) as { code?: string }).code)
  } finally {
    await socket.close()
    listener.close()
    await once(listener, 'close')
  }
}

test('a CA of its own is trusted in place of the known ones', async (t) => {
  assertNoLeaks(t)
  const options = { cert: server.certPem, key: server.keyPem }
  assert.equal(await greeting(t, options, { ca: authority.caPem }), 'TLSv1.3 nobody')
  assert.equal(await greeting(t, options, { ca: (await createAuthority()).caPem }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  assert.equal(await greeting(t, options, {}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

test('several CAs may be given, as text, as bytes and as files', async (t) => {
  assertNoLeaks(t)
  const options = { cert: server.certPem, key: server.keyPem }
  const folder = await mkdtemp(join(tmpdir(), 'hawser-sockets-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  await writeFile(file, authority.caPem)
  const other = await createAuthority()
  assert.equal(await greeting(t, options, { ca: [other.caPem, authority.caPem] }), 'TLSv1.3 nobody')
  assert.equal(await greeting(t, options, { ca: new TextEncoder().encode(authority.caPem) }), 'TLSv1.3 nobody')
  assert.equal(await greeting(t, options, { ca: file }), 'TLSv1.3 nobody')
})

test('a client certificate is shown to a server that asks for one', async (t) => {
  assertNoLeaks(t)
  const options = { cert: server.certPem, key: server.keyPem, ca: authority.caPem, requestCert: true }
  const rule = { ca: authority.caPem, cert: client.certPem, key: client.keyPem }
  assert.equal(await greeting(t, { ...options, rejectUnauthorized: true }, rule), 'TLSv1.3 client')
  assert.equal(await greeting(t, { ...options, rejectUnauthorized: false }, { ca: authority.caPem }), 'TLSv1.3 nobody')
})

test('verify_ca takes any name, but no other CA', async (t) => {
  assertNoLeaks(t)
  const wrong = await authority.issue({ names: ['wrong.example'] })
  const options = { cert: wrong.certPem, key: wrong.keyPem }
  assert.equal(await greeting(t, options, { ca: authority.caPem }), 'ERR_TLS_CERT_ALTNAME_INVALID')
  assert.equal(await greeting(t, options, { ca: authority.caPem, verify: 'verify_ca' }), 'TLSv1.3 nobody')
  assert.equal(await greeting(t, options, { verify: 'verify_ca' }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})

test('disabled takes everything', async (t) => {
  assertNoLeaks(t)
  const stranger = await (await createAuthority()).issue({ names: ['wrong.example'] })
  const options = { cert: stranger.certPem, key: stranger.keyPem }
  assert.equal(await greeting(t, options, { verify: 'disabled' }), 'TLSv1.3 nobody')
})

test('another server name is asked for and verified', async (t) => {
  assertNoLeaks(t)
  const named = await authority.issue({ names: ['real.example'] })
  const options = { cert: named.certPem, key: named.keyPem }
  assert.equal(await greeting(t, options, { ca: authority.caPem, serverName: 'real.example' }), 'TLSv1.3 nobody')
  assert.equal(
    await greeting(t, options, { ca: authority.caPem, serverName: 'other.example' }),
    'ERR_TLS_CERT_ALTNAME_INVALID',
  )
})

test('a server below the least version is refused', async (t) => {
  assertNoLeaks(t)
  const options: TlsOptions = { cert: server.certPem, key: server.keyPem, maxVersion: 'TLSv1.2' }
  assert.equal(await greeting(t, options, { ca: authority.caPem }), 'TLSv1.2 nobody')
  assert.match(await greeting(t, options, { ca: authority.caPem, minVersion: 'TLSv1.3' }), /^ERR_SSL_/)
})
