/** `secureTransport: 'on'` on real workerd, through both `connect()` functions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoLeaks } from '@hawser/testkit'
import { answering, startSite, startTarget } from './test-site.ts'
import { startTlsTarget } from './test-tls.ts'

const LIMIT = { timeout: 30_000 }
const SOCKETS = `import { connect } from 'cloudflare:sockets'`
const CERTIFICATE = { names: ['db.internal', '10.1.2.3'] }

test('the edge speaks TLS, and opened settles after the handshake', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using target = await startTlsTarget((socket) => socket.pipe(socket), { certificate: CERTIFICATE })
  const source = answering(
    `
    const ways = [
      () => env.PRIVATE.connect('db.internal:5432', { secureTransport: 'on' }),
      () => connect({ hostname: 'db.internal', port: 5432 }, { secureTransport: 'on' }),
      () => connect('10.1.2.3:5432', { secureTransport: 'on' }),
    ]
    return Promise.all(ways.map(async (open) => {
      const socket = await open()
      const { remoteAddress } = await socket.opened
      return [socket.secureTransport, socket.upgraded, remoteAddress, await echo(socket, 'secret')]
    }))`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  for (const host of CERTIFICATE.names) site.edge.routes.set(`${host}:5432`, { port: target.port, ca: target.ca })
  const byName = ['on', false, 'db.internal:5432', 'secret']
  assert.deepEqual(await site.json(), [byName, byName, ['on', false, '10.1.2.3:5432', 'secret']])
  assert.deepEqual(
    site.edge.calls.map(({ operation, door }) => [operation, door]),
    Array.from({ length: 3 }, () => ['s', 'tcp']),
  )
  assert.deepEqual(target.names.map(String).toSorted(), ['db.internal', 'db.internal', 'false'])
})

test(
  'a failed handshake is a failed connection: by its code to the binding, in the native words else',
  LIMIT,
  async (t) => {
    assertNoLeaks(t)
    await using untrusted = await startTlsTarget((socket) => socket.pipe(socket), { certificate: CERTIFICATE })
    await using clear = await startTarget((socket) => socket.end('220 hello\r\n'))
    const source = answering(
      `
    const outcome = async (open) => {
      const socket = open()
      const reading = attempt(() => socket.readable.getReader().read())
      const writing = attempt(() => socket.writable.getWriter().write(bytes('password')))
      const [opened, closed] = await Promise.all([attempt(() => socket.opened), attempt(() => socket.closed)])
      await Promise.all([reading, writing])
      return [opened.message, closed.message, Object.keys(opened).filter((key) => key === 'code').length]
    }
    const on = { secureTransport: 'on' }
    const addresses = ['db.internal:5432', 'other.internal:443', 'clear.internal:25']
    return Promise.all(addresses.flatMap((address) => [
      outcome(() => env.PRIVATE.connect(address, on)), outcome(() => connect(address, on)),
    ]))`,
      SOCKETS,
    )
    await using site = await startSite(t, { source })
    site.edge.routes.set('db.internal:5432', { port: untrusted.port })
    site.edge.routes.set('other.internal:443', { port: untrusted.port, ca: untrusted.ca })
    site.edge.routes.set('clear.internal:25', { port: clear.port })
    const refused = 'proxy request failed, cannot connect to the specified address'
    const hint = `${refused}. It looks like you might be trying to connect to a HTTP-based service — consider using fetch instead`
    const certificate = 'ProxyError: tls_certificate_error'
    const protocol = 'ProxyError: tls_protocol_error'
    assert.deepEqual(await site.json(), [
      [certificate, certificate, 1],
      [refused, refused, 0],
      [certificate, certificate, 1],
      [hint, hint, 0],
      [protocol, protocol, 1],
      [refused, refused, 0],
    ])
    assert.deepEqual(untrusted.names, [])
  },
)

test('a host too long to be asked for with TLS is never spoken to in clear', LIMIT, async (t) => {
  assertNoLeaks(t)
  const source = answering(
    `
    const address = '${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(40)}.internal:443'
    const on = { secureTransport: 'on' }
    const socket = env.PRIVATE.connect(address, on)
    const read = await attempt(() => socket.readable.getReader().read())
    const failed = await attempt(() => socket)
    return [failed.code, read.message, await socket.close(), (await attempt(() => connect(address, on).opened)).error]`,
    SOCKETS,
  )
  await using site = await startSite(t, { source })
  assert.deepEqual(await site.json(), ['address_invalid', 'the host is too long for TLS', null, 'Error'])
  assert.deepEqual(site.edge.calls, [])
})
