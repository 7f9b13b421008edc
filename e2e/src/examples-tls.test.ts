/** The projects of `examples/` that speak TLS, under `hawser dev` with a CA of the test's own. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { startMariadb, startPostgres } from './support/database-servers.ts'
import { network, openExample } from './support/example.ts'
import { startMailServer } from './support/mail-server.ts'
import { ACCOUNT } from './support/start-tls-site.ts'

const LIMIT = { timeout: 120_000 }

/** Where the Worker of an example reads its variables from, as with wrangler. */
function variables(values: Readonly<Record<string, string>>): Record<string, string> {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return { '.dev.vars': `${lines.join('\n')}\n` }
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) }
}

test('postgres: rows go in and out by the pg driver', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using database = await startPostgres(await authority.issue({ names: ['db.internal'] }))
  if (database === undefined) return t.skip('no PostgreSQL here')
  const { user, password } = ACCOUNT
  await using site = await openExample('postgres', {
    hawser: {
      ...network('PRIVATE', { 'db.internal:5432': database.port }, true),
      tls: [{ match: 'db.internal:5432', ca: 'ca.pem' }],
    },
    files: {
      'ca.pem': authority.caPem,
      ...variables({ DATABASE_URL: `postgres://${user}:${password}@db.internal:5432/postgres?sslmode=verify-full` }),
    },
  })
  const orders = [
    { item: 'rope', amount: 3 },
    { item: "anchor'; --", amount: 1 },
  ]
  for (const order of orders) {
    const added = await site.fetch('/', post(order))
    assert.deepEqual([added.status, await added.json()], [201, order])
  }
  assert.deepEqual(await (await site.fetch()).json(), orders)
})

test('mysql: a query by the mysql2 driver', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using database = await startMariadb(await authority.issue({ names: ['mysql.internal'] }))
  if (database === undefined) return t.skip('no MariaDB here')
  await using site = await openExample('mysql', {
    hawser: {
      ...network('PRIVATE', { 'mysql.internal:3306': database.port }, true),
      tls: [{ match: 'mysql.internal:3306', ca: 'ca.pem' }],
    },
    files: {
      'ca.pem': authority.caPem,
      ...variables({ DATABASE_USER: ACCOUNT.user, DATABASE_PASSWORD: ACCOUNT.password }),
    },
  })
  const [row] = (await (await site.fetch('/?n=2&n=40')).json()) as { total: number; version: string }[]
  assert.equal(Number(row?.total), 42)
  assert.match(row?.version ?? '', /MariaDB/)
})

test('smtp: mail goes out under TLS that STARTTLS began, and no line of it is a command', LIMIT, async (t) => {
  assertNoLeaks(t)
  const authority = await createAuthority()
  await using server = await startMailServer(await authority.issue({ names: ['mail.internal'] }))
  const hawser = network('OFFICE', { 'mail.internal:587': server.port }, true)
  const mail = { to: 'ann@example.com', subject: 'Hello\r\nBcc: eve@example.com', text: 'First\n.\nLast' }
  {
    await using site = await openExample('smtp', {
      hawser: { ...hawser, tls: [{ match: 'mail.internal:587', ca: 'ca.pem' }] },
      files: { 'ca.pem': authority.caPem },
    })
    assert.deepEqual(await (await site.fetch('/', post(mail))).json(), { answer: '250 delivered' })
  }
  const [sent] = server.mails
  assert.equal(sent?.credentials, '\0orders\0orders')
  assert.match(sent?.message ?? '', /^Subject: Hello Bcc: eve@example\.com$/m)
  assert.match(sent?.message ?? '', /\n\nFirst\n\.\.\nLast\n$/)

  // Nobody vouches for the server: the password stays where it is.
  await using site = await openExample('smtp', { hawser })
  const failed = await site.fetch('/', post(mail))
  assert.equal(failed.status, 502)
  await failed.text()
  assert.equal(server.mails.length, 1)
})
