/** Unchanged drivers in a Worker that go over to TLS in mid-connection, against real servers, watched on the wire. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { makeCertificates } from '../conformance/peers/certificates.ts'
import type { Certificates } from '../conformance/peers/certificates.ts'
import { startMariadb, startPostgres } from './support/database-servers.ts'
import type { DatabaseServer } from './support/database-servers.ts'
import { startMailServer } from './support/mail-server.ts'
import { ACCOUNT, startStartTlsSite } from './support/start-tls-site.ts'
import type { StartTlsSite } from './support/start-tls-site.ts'
import { protocolOf } from './support/upgrade-protocols.ts'
import type { Driver } from './support/upgrade-protocols.ts'
import { startTap, tlsRecordTypes } from './support/wire-tap.ts'
import type { WireTap } from './support/wire-tap.ts'

/** No text that is secret, in any spelling a protocol gives it, and nothing that is no TLS record behind `clear`. */
function assertEncrypted(bytes: Buffer, clear: string): void {
  const text = bytes.toString('latin1')
  const plain = Buffer.from(`\0${ACCOUNT.user}\0${ACCOUNT.password}`).toString('base64')
  for (const secret of [...Object.values(ACCOUNT), plain]) assert.ok(!text.includes(secret), `${secret} went in clear`)
  assert.equal(text.slice(0, clear.length), clear)
  const types = tlsRecordTypes(bytes.subarray(clear.length))
  assert.equal(types[0], 'handshake')
  assert.ok(types.includes('application_data'))
}

/** What a real server says before TLS differs from one version to the next; it ends where the first record begins. */
function clearStart(bytes: Buffer): string {
  const record = bytes.indexOf(Buffer.from([0x16, 0x03]))
  assert.ok(record >= 0, 'the server never spoke TLS')
  return bytes.toString('latin1', 0, record)
}

describe('drivers that go over to TLS', { timeout: 120_000 }, () => {
  let certificates: Certificates
  let site: StartTlsSite
  let postgres: DatabaseServer | undefined
  let mariadb: DatabaseServer | undefined
  const owned = new AsyncDisposableStack()
  before(async () => {
    certificates = await makeCertificates()
    const { caPem, of } = certificates
    site = owned.use(await startStartTlsSite(caPem))
    postgres = owned.use(await startPostgres(of.good))
    mariadb = owned.use(await startMariadb(of.good))
  })
  after(() => owned.disposeAsync())

  /** Everything that a driver did through a tap, once it has let go of its connection. */
  async function watch(t: TestContext, driver: Driver, tap: WireTap, expected: unknown): Promise<void> {
    assert.deepEqual(await site.attempt(driver, tap.port), { answer: expected })
    const flow = await site.flow(tap.port)
    // MariaDB hangs up without the farewell of TLS, or resets, even when it was asked to go.
    const endings = driver === 'mysql2' ? [undefined, 'connection_terminated'] : [undefined]
    assert.ok(endings.includes(flow.error?.code), flow.error?.message)
    assert.deepEqual([flow.tls?.protocol, flow.tls?.authorized], ['TLSv1.3', true])
    assert.equal(tap.connections.length, 1)
    const sent = tap.connections[0]?.sent() ?? Buffer.alloc(0)
    const received = tap.connections[0]?.received() ?? Buffer.alloc(0)
    const clear = clearStart(sent)
    assert.match(clear, protocolOf(driver).clear)
    assertEncrypted(sent, clear)
    assertEncrypted(received, clearStart(received))
    t.diagnostic(`${sent.length} bytes to the server, ${clear.length} of them in clear: ${JSON.stringify(clear)}`)
  }

  test('pg with ssl says nothing in clear but its request for TLS to a PostgreSQL', async (t) => {
    if (postgres === undefined) return t.skip('there is no PostgreSQL in /usr/lib/postgresql')
    await using tap = await startTap(postgres.port)
    await watch(t, 'pg', tap, ACCOUNT.secret)
  })

  test('mysql2 with ssl says nothing in clear but its request for TLS to a MariaDB', async (t) => {
    if (mariadb === undefined) return t.skip('there is no mariadbd')
    await using tap = await startTap(mariadb.port)
    await watch(t, 'mysql2', tap, ACCOUNT.secret)
  })

  test('nodemailer says nothing in clear but EHLO and STARTTLS to a mail server', async (t) => {
    await using server = await startMailServer(certificates.of.good)
    await using tap = await startTap(server.port)
    await watch(t, 'nodemailer', tap, ['b@example.com'])
    const [mail] = server.mails
    assert.equal(mail?.credentials, `\0${ACCOUNT.user}\0${ACCOUNT.password}`)
    assert.match(mail?.message ?? '', new RegExp(`Subject: ${ACCOUNT.secret}`))
  })

  test('pg with a wrong password gets the error of the PostgreSQL, and the password went encrypted', async (t) => {
    if (postgres === undefined) return t.skip('there is no PostgreSQL in /usr/lib/postgresql')
    await using tap = await startTap(postgres.port)
    const { failed, code } = await site.attempt('pg', tap.port, { password: 'not-the-password' })
    assert.equal(code, '28P01', failed)
    await site.flow(tap.port)
    assert.ok(!(tap.connections[0]?.sent() ?? '').toString('latin1').includes('not-the-password'))
  })
})
