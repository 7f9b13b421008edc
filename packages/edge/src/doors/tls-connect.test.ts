import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { HawserError } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import { assertNoLeaks } from '@hawser/testkit'
import { TestSite } from '../test-site.ts'
import { authority, issue, issueSelfSigned, serveTls } from '../tls/test-peer.ts'
import type { Identity } from '../tls/test-peer.ts'

const TIMEOUT = { timeout: 10_000 }
const ADDRESS = 'db.internal:5432'

/** A target under TLS at the address, behind an edge with these rules. */
async function tlsSite(rules: readonly TlsRule[], identity?: Identity): Promise<TestSite> {
  const site = await TestSite.open({ identity: { tls: rules } })
  const shown = identity ?? (await issue())
  await site.serve(ADDRESS, async (socket) => {
    const server = serveTls(socket, shown)
    server.on('end', () => {}) // and whatever comes first is answered
    server.once('data', (chunk: Buffer) => server.end(`got ${chunk.toString()}`))
  })
  return site
}

async function privateRule(rule: Partial<TlsRule> = {}): Promise<TlsRule> {
  return { host: '*.internal', caPem: (await authority()).caPem, ...rule }
}

test('TLS connect: the Worker is answered after the handshake, and speaks in clear to the edge', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await tlsSite([await privateRule()])
  const { status, socket } = await site.connect(ADDRESS, 'call1', 's')
  assert.equal(status, 200)
  socket.write('hello')
  assert.equal(await text(socket), 'got hello')
  socket.end()
  const [flow] = await site.flowsEnded(1)
  assert.equal(flow?.outcome, 'ok')
  assert.deepEqual(flow.tls, { protocol: 'TLSv1.3', authorized: true, rule: '*.internal' })
  assert.deepEqual([flow.target?.tls, flow.bytesSent, flow.bytesReceived], [true, 5, 9])
})

test('TLS connect: what the Worker sent ahead goes out after the handshake, encrypted', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await tlsSite([await privateRule()])
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS, 'call1', 's')} HTTP/1.1\r\n\r\nearly`)
  assert.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n\r\ngot early$/)
})

test(
  'TLS connect: a certificate that is not accepted refuses the call, with a code for who asks',
  TIMEOUT,
  async (t) => {
    assertNoLeaks(t)
    await using site = await tlsSite([await privateRule()], await issueSelfSigned())
    const { status } = await site.connect(ADDRESS, 'call1', 's')
    assert.equal(status, 502)
    const { body } = await site.fetch('GET', 'http://flows.hawser/call1')
    assert.equal(JSON.parse(body.toString()).code, 'tls_certificate_error')
    const [flow] = await site.flowsEnded(1)
    assert.deepEqual([flow?.error?.step, flow?.tls], ['secure', undefined])
  },
)

test('TLS connect: a binding without rules trusts the public authorities alone', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await tlsSite([])
  assert.equal((await site.connect(ADDRESS, 'call1', 's')).status, 502)
  assert.equal((await site.flowsEnded(1))[0]?.error?.code, 'tls_certificate_error')
})

test('TLS connect: a rule is for its port alone', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await tlsSite([await privateRule({ port: 5433 })])
  assert.equal((await site.connect(ADDRESS, 'call1', 's')).status, 502)
})

test('TLS connect: a Worker that gives up ends the handshake', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const started = Promise.withResolvers<Socket>()
  await site.serve(ADDRESS, (socket) => socket.once('data', () => started.resolve(socket)))
  const socket = await site.knock('tcp')
  socket.write(`CONNECT ${site.authority(ADDRESS, 'call1', 's')} HTTP/1.1\r\n\r\n`)
  const target = await started.promise
  socket.destroy()
  await once(target, 'end')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.step], ['aborted', 'secure'])
})

test('TLS connect: a call can be ended by its id while it is being opened', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const started = Promise.withResolvers<void>()
  await site.serve(ADDRESS, (socket) => socket.once('data', () => started.resolve()))
  const connecting = site.connect(ADDRESS, 'call1', 's')
  await started.promise
  assert.equal((await site.fetch('POST', 'http://flows.hawser/call1/abort')).status, 204)
  assert.equal((await connecting).status, 502)
  assert.equal((await site.fetch('POST', 'http://flows.hawser/call1/abort')).status, 404)
  assert.equal((await site.flowsEnded(1))[0]?.outcome, 'aborted')
})

test('TLS connect: a server that wants a certificate and gets none is tls_certificate_error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open({ identity: { tls: [await privateRule()] } })
  const [identity, ca] = [await issue(), (await authority()).caPem]
  await site.serve(ADDRESS, (socket) => serveTls(socket, identity, { requestCert: true, rejectUnauthorized: true, ca }))
  const { socket } = await site.connect(ADDRESS, 'call1', 's')
  const [error] = await once(socket.resume(), 'error')
  assert.equal((error as { code: string }).code, 'ECONNRESET')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.error?.code, flow?.error?.step], ['tls_certificate_error', 'relay'])
})

test('TLS connect: rules hold for fetch as well', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open({ identity: { tls: [await privateRule()] } })
  const identity = await issue({ names: ['api.internal'] })
  await site.serve('api.internal:443', (socket) => {
    const server = serveTls(socket, identity, { ALPNProtocols: ['http/1.1'] })
    server.once('data', () => server.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'))
  })
  assert.equal((await site.fetch('GET', 'https://api.internal/')).body.toString(), 'ok')
  assert.equal((await site.flowsEnded(1))[0]?.tls?.rule, '*.internal')
})

test('TLS connect: sessions are resumed, unless the edge is told not to', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  for (const tlsSessions of [true, false]) {
    await using site = await TestSite.open({ identity: { tls: [await privateRule()] }, services: { tlsSessions } })
    const secureContext = createSecureContext(await issue())
    await site.serve(ADDRESS, (socket) => serveTls(socket, { cert: '', key: '' }, { secureContext }).end('bye'))
    for (let call = 1; call <= 2; call += 1) {
      const { socket } = await site.connect(ADDRESS, `call${call}`, 's')
      socket.end()
      assert.equal(await text(socket), 'bye')
      const flows = await site.flowsEnded(call)
      assert.equal(flows[call - 1]?.tls?.resumed, tlsSessions && call === 2 ? true : undefined)
    }
  }
})

test('TLS connect: a binding with a rule that cannot be used is not opened', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await assert.rejects(
    site.openBinding({ tls: [{ host: 'db.internal', caPem: 'none' }] }),
    (error) => HawserError.is(error, 'config_invalid') && error.message.includes('"db.internal"'),
  )
})
