/** Drivers that go over to TLS in mid-connection, against servers, and people on the way, that are not what they should be. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ErrorCode } from '@hawser/core'
import { makeCertificates } from '../conformance/peers/certificates.ts'
import type { CertificateKind, Certificates } from '../conformance/peers/certificates.ts'
import { ACCOUNT, startStartTlsSite } from './support/start-tls-site.ts'
import type { StartTlsSite } from './support/start-tls-site.ts'
import { UPGRADE_PROTOCOLS } from './support/upgrade-protocols.ts'
import type { Driver, UpgradeProtocol } from './support/upgrade-protocols.ts'
import { startUpgradeServer } from './support/upgrade-server.ts'
import type { UpgradeScript } from './support/upgrade-server.ts'
import { startTap, tlsRecordTypes } from './support/wire-tap.ts'

/** What a driver says of a handshake that failed: its own words, or those of the socket under it. */
const WORDS: Readonly<Record<Driver, { readonly failed: RegExp; readonly code: string | undefined }>> = {
  // pg reads on from the socket that startTls() gave it, and hears that there is nothing more to read.
  pg: { failed: /^Stream was cancelled/, code: undefined },
  mysql2: { failed: /^connect /, code: 'HANDSHAKE_SSL_ERROR' },
  nodemailer: { failed: /^connect /, code: 'ESOCKET' },
}

const REFUSED: Readonly<Record<Driver, RegExp>> = {
  pg: /does not support SSL/,
  mysql2: /does not support secure connection/,
  nodemailer: /454 TLS is not available/,
}

const BAD_CERTIFICATES: readonly (readonly [what: string, kind: CertificateKind])[] = [
  ['of a CA that nobody trusts', 'untrusted'],
  ['for another name', 'wrong-name'],
  ['that has expired', 'expired'],
  ['that signed itself', 'self-signed'],
]

/** What was seen of one attempt. */
interface Seen {
  readonly failed: string
  readonly code: string | undefined
  /** How the flow ended at the edge. */
  readonly error: ErrorCode | undefined
  /** Types of the TLS records that the client sent, behind what it said in clear. */
  readonly records: readonly string[]
  /** What it said inside TLS. */
  readonly secrets: string
}

describe('drivers that go over to TLS fail closed', { timeout: 120_000 }, () => {
  let certificates: Certificates
  let site: StartTlsSite
  before(async () => {
    certificates = await makeCertificates()
    site = await startStartTlsSite(certificates.caPem)
  })
  after(() => site[Symbol.asyncDispose]())

  /** Has a driver try, and checks that it failed and what of it went in clear: the protocol's own few words. */
  async function attempt(
    protocol: UpgradeProtocol,
    kind: CertificateKind,
    script: Omit<UpgradeScript, 'certificate'> = {},
  ): Promise<Seen> {
    await using server = await startUpgradeServer(protocol, { ...script, certificate: certificates.of[kind] })
    await using tap = await startTap(server.port)
    const { answer, failed = '', code } = await site.attempt(protocol.driver, tap.port)
    assert.equal(answer, undefined)
    const { error } = await site.flow(tap.port)
    assert.equal(tap.connections.length, 1) // nobody tried again without TLS
    const sent = tap.connections[0]?.sent() ?? Buffer.alloc(0)
    const hello = sent.indexOf(Buffer.from([0x16, 0x03]))
    const clear = sent.toString('latin1', 0, hello < 0 ? sent.length : hello)
    if (clear !== '') assert.match(clear, protocol.clear)
    for (const secret of Object.values(ACCOUNT)) assert.ok(!sent.toString('latin1').includes(secret))
    const records = tlsRecordTypes(hello < 0 ? Buffer.alloc(0) : sent.subarray(hello))
    return { failed, code, error: error?.code, records, secrets: server.secrets() }
  }

  function assertFailedHandshake(protocol: UpgradeProtocol, seen: Seen, ...codes: ErrorCode[]): void {
    assert.ok(
      codes.some((code) => code === seen.error),
      seen.error,
    )
    assert.match(seen.failed, WORDS[protocol.driver].failed)
    assert.equal(seen.code, WORDS[protocol.driver].code)
    assert.ok(!seen.records.includes('application_data'))
    assert.equal(seen.secrets, '')
  }

  for (const protocol of UPGRADE_PROTOCOLS) {
    const { driver } = protocol

    for (const [what, kind] of BAD_CERTIFICATES) {
      test(`${driver}: a certificate ${what} is a tls_certificate_error, and nothing is said to its owner`, async () => {
        assertFailedHandshake(protocol, await attempt(protocol, kind), 'tls_certificate_error')
      })
    }

    test(`${driver}: a server that refuses TLS hears no more than the request for it`, async () => {
      const seen = await attempt(protocol, 'good', { refuses: true })
      assert.match(seen.failed, REFUSED[driver])
      assert.deepEqual(seen.records, [])
    })

    test(`${driver}: a server that agrees, and answers the handshake in clear, is a tls_protocol_error`, async () => {
      const seen = await attempt(protocol, 'good', { answersInClear: true })
      assertFailedHandshake(protocol, seen, 'tls_protocol_error')
    })

    test(`${driver}: bytes injected in clear ahead of a proper handshake break it`, async () => {
      const seen = await attempt(protocol, 'good', { injects: 'ahead of the handshake' })
      assertFailedHandshake(protocol, seen, 'tls_protocol_error')
    })

    test(`${driver}: bytes injected in clear with the agreement are never an answer to what goes encrypted`, async () => {
      const seen = await attempt(protocol, 'good', { injects: 'with the agreement' })
      // Most often the driver has read them itself. Then it is the one to refuse them, or to forget them with the rest of
      // its conversation in clear. If it has not, they fail the upgrade: in the Worker, which gives the flow up before there
      // is a handshake, or as part of it.
      if (seen.error !== undefined) {
        return assertFailedHandshake(protocol, seen, 'tls_protocol_error', 'connection_aborted')
      }
      assert.notEqual(seen.failed, '')
      assert.doesNotMatch(seen.secrets, /AUTH|MAIL|s3cret/)
      return assert.ok(seen.secrets === '' || driver === 'nodemailer', seen.secrets)
    })
  }
})
