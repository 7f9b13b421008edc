import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, test } from 'node:test'
import { createAuthority } from './certificates.ts'

describe('createAuthority', () => {
  test('issues certificates that it signs, for the names asked for', async () => {
    const authority = await createAuthority()
    const { certPem, keyPem } = await authority.issue({ names: ['edge.test', '127.0.0.1', '::1'] })
    const certificate = new X509Certificate(certPem)
    const ca = new X509Certificate(authority.caPem)
    assert.ok(ca.ca)
    assert.ok(certificate.checkIssued(ca))
    assert.ok(certificate.verify(ca.publicKey))
    assert.equal(certificate.checkHost('edge.test'), 'edge.test')
    assert.equal(certificate.checkHost('other.test'), undefined)
    assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
    assert.match(keyPem, /^-----BEGIN PRIVATE KEY-----\n[\s\S]+\n-----END PRIVATE KEY-----\n$/)
  })

  test('makes certificates for any time, past and future', async () => {
    const authority = await createAuthority()
    const notBefore = new Date('2001-02-03T04:05:06Z')
    const notAfter = new Date('2002-02-03T04:05:06Z')
    const certificate = new X509Certificate((await authority.issue({ notBefore, notAfter })).certPem)
    assert.equal(certificate.validFromDate.getTime(), notBefore.getTime())
    assert.equal(certificate.validToDate.getTime(), notAfter.getTime())
  })

  test('two authorities have nothing to do with each other', async () => {
    const [one, other] = await Promise.all([createAuthority(), createAuthority()])
    const certificate = new X509Certificate((await one.issue()).certPem)
    assert.equal(certificate.verify(new X509Certificate(other.caPem).publicKey), false)
  })

  test('marks client certificates as such', async () => {
    const authority = await createAuthority()
    const usages = await Promise.all(
      (['client', 'server'] as const).map(
        async (usage) => new X509Certificate((await authority.issue({ usage })).certPem),
      ),
    )
    assert.deepEqual(
      usages.map(({ keyUsage }) => keyUsage),
      [['1.3.6.1.5.5.7.3.2'], ['1.3.6.1.5.5.7.3.1']],
    )
  })
})
