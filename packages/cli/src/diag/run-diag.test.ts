import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { parseTunnelToken } from '@hawser/tunnel'
import { testLine } from '../test-line.ts'
import type { LineResult } from '../test-line.ts'
import { checkClock } from './check-tls.ts'
import type { Finding } from './finding.ts'
import { closedAddress, plainEdge, testToken, tlsEdge } from './test-edge.ts'

const limits = { timeout: 60_000 }
const HOUR_MS = 3_600_000

/** The token goes by the environment, so that it never is a word of a command line. */
function diag(token: string, ...more: string[]): Promise<LineResult> {
  return testLine(['connector', 'diag', '--log-level', 'error', ...more], { HAWSER_TUNNEL_TOKEN: token })
}

/** What is said of one step, with what to do. */
function saidOf({ stdout }: LineResult, step: string): string {
  return new RegExp(`^\\S+ +${step} .*(\n +→.*)?`, 'm').exec(stdout)?.[0] ?? ''
}

test('a text that is no token says so, tries nothing else, and is not repeated', limits, async (t) => {
  assertNoLeaks(t)
  for (const text of ['hunter2', 'aHVudGVyMg==', 'eyJhIjoiaHVudGVyMiJ9']) {
    const result = await diag(text)
    assert.equal(result.code, 1)
    assert.match(
      result.stdout,
      /^FAILED {3}token {5}not a tunnel token of a Hawser edge: .+\n +→ Copy it again, whole: /,
    )
    assert.equal(result.stdout.split('\n').length, 3)
    assert.match(result.stderr, /^hawser: 1 of 1 steps failed \(tunnel_auth_failed\)\n/)
    assert.doesNotMatch(`${result.stdout}${result.stderr}`, /hunter2|aHVu/)
  }
})

test('an edge that nothing listens on is refused, and later steps are not tried', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  const address = await closedAddress()
  const result = await diag(testToken(caPem, [address]))
  assert.equal(result.code, 1)
  assert.match(
    saidOf(result, 'token'),
    /tunnel 8f2f1a3e-.+; names 127\.0\.0\.1:\d+; trusts CN=Hawser test CA until \d{4}-/,
  )
  assert.match(
    saidOf(result, 'tcp'),
    /^FAILED.* 127\.0\.0\.1 refuses connections\n +→ Check that `hawser edge` runs there/,
  )
  for (const step of ['tls', 'clock', 'register'])
    assert.match(saidOf(result, step), /^- .*not tried, since tcp failed/)
})

test('a name that does not resolve is told from an edge that is down', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  const result = await diag(testToken(caPem, ['no..name:7844']))
  assert.equal(result.code, 1)
  assert.match(saidOf(result, 'dns'), /^FAILED.* no\.\.name does not resolve on this machine\n +→ Check its spelling/)
  assert.match(saidOf(result, 'tcp'), /^- .*since dns failed/)
})

test('a token without a usable edge asks for one', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  for (const edges of [[], ['a:b:c']]) {
    assert.match(saidOf(await diag(testToken(caPem, edges)), 'dns'), /names no edge to try\n +→ Name one with --edge/)
  }
})

test('a server that speaks no TLS is the wrong port', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  await using edge = await plainEdge((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const result = await diag(testToken(caPem, [edge.address]))
  assert.equal(result.code, 1)
  assert.match(saidOf(result, 'tcp'), /^ok .* 127\.0\.0\.1 answers in [\d.]+ ms/)
  assert.match(saidOf(result, 'tls'), /^FAILED.* does not speak TLS \(.+\)\n +→ Check the port: /)
})

test('a server that hangs up at once may be a firewall', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  await using edge = await plainEdge((socket) => void socket.once('data', () => socket.resetAndDestroy()))
  const result = await diag(testToken(caPem, [edge.address]))
  assert.match(saidOf(result, 'tls'), /^FAILED.* hangs up during the TLS handshake \(.+\)\n +→ A firewall may cut TLS/)
})

test('a server that accepts and says nothing is given up after the time limit', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  await using edge = await plainEdge(() => {})
  const result = await diag(testToken(caPem, [edge.address]), '--timeout', '300ms')
  assert.match(
    saidOf(result, 'tls'),
    /^FAILED.* does not answer the TLS handshake \(no answer in 300 ms\)\n +→ The edge hangs/,
  )
})

test('a certificate of somebody else shows its issuer: something in between opens TLS', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority('Hawser edge 00ff CA')
  await using edge = await tlsEdge(await createAuthority('Corporate Inspection CA'))
  const result = await diag(testToken(caPem, [edge.address]))
  assert.equal(result.code, 1)
  const said = saidOf(result, 'tls')
  assert.match(
    said,
    /^FAILED.* its certificate is from CN=Corporate Inspection CA, and the token trusts CN=Hawser edge 00ff CA alone/,
  )
  assert.match(said, /\n +→ Something between here and the edge opens TLS connections/)
})

test('a certificate of another edge, or of the same edge made anew, asks for another token', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority('Hawser edge 00ff CA')
  for (const name of ['Hawser edge 00ff CA', 'Hawser edge 1234 CA']) {
    await using edge = await tlsEdge(await createAuthority(name))
    const said = saidOf(await diag(testToken(caPem, [edge.address])), 'tls')
    assert.match(said, /\n +→ The token is of another edge, or the edge has made itself a new CA/)
  }
})

test('a certificate that is not for an edge is another service', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using edge = await tlsEdge(authority, { names: ['www.example.com'] })
  const said = saidOf(await diag(testToken(authority.caPem, [edge.address])), 'tls')
  assert.match(said, /^FAILED.* not an edge's: it is for DNS:www\.example\.com\n +→ Check the port/)
})

test('TLS without the protocol of tunnels is another port, however the other end says so', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  for (const ALPNProtocols of [['h2'], []]) {
    await using edge = await tlsEdge(authority, {}, { ALPNProtocols })
    const said = saidOf(await diag(testToken(authority.caPem, [edge.address])), 'tls')
    assert.match(said, /^FAILED.* speaks TLS, but not hawser\/1\n +→ Check the port/)
  }
})

test('an old TLS is no edge', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using edge = await tlsEdge(authority, {}, { maxVersion: 'TLSv1.2' })
  const said = saidOf(await diag(testToken(authority.caPem, [edge.address])), 'tls')
  assert.match(said, /^FAILED.* speaks TLSv1\.2, which no edge does\n +→ Something between/)
})

test('a certificate whose time is over, or has not begun, is a matter of clocks', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  for (const [shift, word, todo] of [
    [-2, 'after', /the certificate has run out: start the edge again/],
    [2, 'before', /Set the clock of this machine, or that of the edge/],
  ] as const) {
    const at = Date.now() + shift * HOUR_MS
    const window = { notBefore: new Date(at - HOUR_MS), notAfter: new Date(at + HOUR_MS) }
    await using edge = await tlsEdge(authority, window)
    const result = await diag(testToken(authority.caPem, [edge.address]))
    assert.equal(result.code, 1)
    assert.match(saidOf(result, 'tls'), /^ok .*TLSv1\.3, hawser\/1, and a certificate of the token's CA/)
    assert.match(
      saidOf(result, 'clock'),
      new RegExp(`^FAILED.*clock says \\d{4}-.+Z, ${word} the time of its certificate`),
    )
    assert.match(saidOf(result, 'clock'), todo)
    assert.match(saidOf(result, 'register'), /^- .*since clock failed/)
  }
})

test('an edge that goes silent after TLS is given up after the time limit', limits, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using edge = await tlsEdge(authority)
  const result = await diag(testToken(authority.caPem, [edge.address]), '--timeout', '500ms')
  assert.match(saidOf(result, 'clock'), /^ok /)
  assert.match(saidOf(result, 'register'), /^FAILED.* does not answer the registration\n +→ TLS works/)
})

test('a stop in the middle ends it at once, with 1 and no findings', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  const stop = new AbortController()
  await using edge = await plainEdge((socket) => void socket.once('data', () => stop.abort()))
  const env = { HAWSER_TUNNEL_TOKEN: testToken(caPem, [edge.address]) }
  const result = await testLine(['connector', 'diag', '--timeout', '1h'], env, stop.signal)
  assert.deepEqual([result.code, result.stdout], [1, ''])
  assert.match(result.stderr, /^hawser: stopped before every step was taken \(connection_aborted\)\n/)
})

test('the time of a certificate is that of the shorter of it and its CA', async () => {
  const authority = await createAuthority() // two days before and after now
  const year = { notBefore: new Date(0), notAfter: new Date(Date.now() + 8760 * HOUR_MS) }
  const certificate = new X509Certificate((await authority.issue(year)).certPem)
  const token = parseTunnelToken(testToken(authority.caPem, []))
  const edge = { host: 'edge', port: 7844 }
  const stateAfter = (hours: number): string =>
    checkClock(edge, certificate, token, new Date(Date.now() + hours * HOUR_MS)).state
  assert.deepEqual([-72, -24, 24, 72].map(stateAfter), ['failed', 'ok', 'ok', 'failed'])
})

test('each edge is tried, whatever becomes of the others; one that is named twice, once', limits, async (t) => {
  assertNoLeaks(t)
  const { caPem } = await createAuthority()
  await using garbage = await plainEdge((socket) => socket.end('what?\n'))
  const closed = await closedAddress()
  const edges = [closed, garbage.address, closed].flatMap((edge) => ['--edge', edge])
  const { code, stdout } = await diag(testToken(caPem, []), ...edges, '--json')
  assert.equal(code, 1)
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
  assert.equal(ok, false)
  const failed = findings.filter(({ state }) => state === 'failed')
  assert.deepEqual(
    failed.map(({ step, subject, code: why }) => [step, subject, why]),
    [
      ['tcp', closed, 'edge_unreachable'],
      ['tls', garbage.address, 'tunnel_protocol_error'],
    ],
  )
})
