import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { assertNoLeaks } from '@hawser/testkit'
import {
  createAuthority,
  DAY_MS,
  expiryOf,
  formatKeyPair,
  isIssuedBy,
  issueCertificate,
  parseKeyPair,
} from './certificates.ts'

const NOW = Date.now()

test('certificates: an authority for ten years, on P-256, for one level', async () => {
  const authority = await createAuthority('e1', NOW)
  const certificate = new X509Certificate(authority.certPem)
  assert.equal(certificate.ca, true)
  assert.match(certificate.subject, /Hawser edge e1 CA/)
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.ok(Math.abs(expiryOf(authority) - NOW - 3_653 * DAY_MS) < DAY_MS)
})

test('certificates: a leaf for a year, for its name and for servers', async () => {
  const authority = await createAuthority('e1', NOW)
  const pair = await issueCertificate(authority, 'edge.hawser', NOW)
  const certificate = new X509Certificate(pair.certPem)
  assert.equal(certificate.checkHost('edge.hawser'), 'edge.hawser')
  assert.equal(certificate.checkHost('other.hawser'), undefined)
  assert.equal(certificate.ca, false)
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  assert.ok(Math.abs(expiryOf(pair) - NOW - 365 * DAY_MS) < DAY_MS)
  assert.equal(isIssuedBy(pair, authority), true)
  assert.equal(isIssuedBy(pair, await createAuthority('e2', NOW)), false)
})

test('certificates: a leaf does not outlive its authority', async () => {
  const authority = await createAuthority('e1', NOW - 3_600 * DAY_MS)
  const pair = await issueCertificate(authority, 'edge.hawser', NOW)
  assert.equal(expiryOf(pair), expiryOf(authority))
})

test('certificates: serve TLS 1.3 to who trusts the authority', async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority('e1', NOW)
  const { certPem, keyPem } = await issueCertificate(authority, 'edge.hawser', NOW)
  const server = createServer({ cert: certPem, key: keyPem.reveal(), minVersion: 'TLSv1.3' }, (socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', servername: 'edge.hawser', ca: authority.certPem })
  await once(client, 'secureConnect')
  assert.equal(client.authorized, true)
  client.destroy()
  server.close()
})

test('certificates: a pair survives its file', async () => {
  const authority = await createAuthority('e1', NOW)
  const read = parseKeyPair(formatKeyPair(authority))
  assert.equal(read?.certPem.trim(), authority.certPem.trim())
  assert.equal(read?.keyPem.reveal().trim(), authority.keyPem.reveal().trim())
  assert.equal(isIssuedBy(await issueCertificate(read ?? authority, 'edge.hawser', NOW), authority), true)
})

test('certificates: a damaged file, or a key of another certificate, is no pair', async () => {
  const [one, two] = [await createAuthority('e1', NOW), await createAuthority('e2', NOW)]
  const text = formatKeyPair(one)
  assert.equal(parseKeyPair(''), undefined)
  assert.equal(parseKeyPair(one.certPem), undefined)
  assert.equal(parseKeyPair(text.replace(/[A-Za-z]{10}\n/, 'AAAAAAAAAA\n')), undefined)
  assert.equal(parseKeyPair(formatKeyPair({ certPem: one.certPem, keyPem: two.keyPem })), undefined)
})
