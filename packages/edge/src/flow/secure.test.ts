import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { createSecureContext, createServer } from 'node:tls'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import type { TestCertificate } from '@hawser/testkit'
import { TestSite } from '../test-site.ts'

const TIMEOUT = { timeout: 10_000 }
const URL_BASE = 'https://api.internal:8443'

interface TlsSiteOptions {
  readonly names?: readonly string[]
  readonly notAfter?: Date
  /** Whether the edge trusts the authority. */
  readonly trusted?: boolean
  readonly server?: (certificate: TestCertificate) => Server
}

/** A target with a certificate at `api.internal:8443`, and an edge that trusts its authority. */
async function tlsSite(t: TestContext, options: TlsSiteOptions = {}): Promise<TestSite> {
  assertNoLeaks(t)
  const authority = await createAuthority()
  const certificate = await authority.issue({
    names: options.names ?? ['api.internal'],
    ...(options.notAfter && { notAfter: options.notAfter, notBefore: new Date(0) }),
  })
  const trust = options.trusted === false ? createSecureContext() : createSecureContext({ ca: authority.caPem })
  const site = await TestSite.open({ services: { trust } })
  const { certPem: cert, keyPem: key } = certificate
  const echo = (): Server =>
    createHttpsServer({ cert, key }, (incoming, outgoing) => {
      const { servername } = incoming.socket as unknown as { servername: string }
      outgoing.end(`${servername} ${incoming.headers.host}`)
    })
  const server = options.server?.(certificate) ?? echo()
  server.on('tlsClientError', () => {})
  await site.attach('api.internal:8443', server)
  return site
}

test('secure: https goes with the URL’s name as SNI and as the verified name', TIMEOUT, async (t) => {
  await using site = await tlsSite(t)
  const reply = await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(reply.body.toString(), 'api.internal api.internal:8443')
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual(flow?.tls, { protocol: 'TLSv1.3', authorized: true })
  assert.deepEqual(flow?.target, { host: 'api.internal', port: 8443, tls: true })
})

test('secure: a kept TLS connection serves again, and says so in the record', TIMEOUT, async (t) => {
  await using site = await tlsSite(t)
  for (let call = 0; call < 3; call += 1) await site.fetch('GET', `${URL_BASE}/`)
  assert.equal(site.network.dialed.length, 1)
  const flows = await site.flowsEnded(3)
  assert.ok(flows.every((flow) => flow.tls?.authorized === true))
})

test('secure: a certificate for another name is tls_certificate_error', TIMEOUT, async (t) => {
  await using site = await tlsSite(t, { names: ['other.internal'] })
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_certificate_error')
  assert.equal((await site.flowsEnded(1))[0]?.error?.step, 'secure')
})

test('secure: an authority that is not trusted is tls_certificate_error', TIMEOUT, async (t) => {
  await using site = await tlsSite(t, { trusted: false })
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_certificate_error')
})

test('secure: an expired certificate is tls_certificate_error', TIMEOUT, async (t) => {
  await using site = await tlsSite(t, { notAfter: new Date(Date.now() - 86_400_000) })
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_certificate_error')
})

test('secure: a literal is verified as an address, and no SNI is sent', TIMEOUT, async (t) => {
  let sni: string | undefined
  await using site = await tlsSite(t, {
    names: ['10.0.0.7'],
    server: ({ certPem: cert, keyPem: key }) => {
      const answerSni = (name: string, done: (error: null) => void): void => {
        sni = name
        done(null)
      }
      return createHttpsServer({ cert, key, SNICallback: answerSni }, (_incoming, outgoing) => outgoing.end('ok'))
    },
  })
  const port = site.network.routes.get('api.internal:8443') ?? 0
  site.network.routes.set('10.0.0.7:8443', port)
  assert.equal((await site.fetch('GET', 'https://10.0.0.7:8443/')).status, 200)
  assert.equal(sni, undefined)
})

test('secure: a target that does not speak TLS is tls_protocol_error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve('api.internal:8443', (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  )
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_protocol_error')
})

test('secure: a target that hangs up in the handshake is tls_protocol_error', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve('api.internal:8443', (socket) => socket.once('data', () => socket.destroy()))
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_protocol_error')
})

test('secure: a handshake that takes too long is tls_protocol_error, and leaves no connection', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  const limits = { maxOpenFlows: 9, resolveTimeoutMs: 9_000, dialTimeoutMs: 9_000, handshakeTimeoutMs: 30 }
  await using site = await TestSite.open({ services: { limits } })
  const closed = Promise.withResolvers<void>()
  await site.serve('api.internal:8443', (socket) => {
    socket.resume()
    socket.once('close', () => closed.resolve())
    socket.once('end', () => socket.destroy())
  })
  assert.equal((await site.fetch('GET', `${URL_BASE}/`)).headers['hawser-error'], 'tls_protocol_error')
  await closed.promise
})

test('secure: a Worker that goes in the handshake ends it', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  const started = Promise.withResolvers<void>()
  await site.serve('api.internal:8443', (socket) => {
    socket.once('data', () => started.resolve())
    socket.once('end', () => socket.destroy())
  })
  const socket = await site.knock('unix')
  socket.write(`GET ${URL_BASE}/ HTTP/1.1\r\n\r\n`)
  await started.promise
  socket.destroy()
  const [flow] = await site.flowsEnded(1)
  assert.deepEqual([flow?.outcome, flow?.error?.step], ['aborted', 'secure'])
})

test('secure: a cut TLS connection is a cut answer', TIMEOUT, async (t) => {
  await using site = await tlsSite(t, {
    server: ({ certPem: cert, keyPem: key }) =>
      createServer({ cert, key }, (socket) => {
        socket.on('error', () => {})
        socket.once('data', () =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel', () => socket.destroy()),
        )
      }),
  })
  await assert.rejects(site.fetch('GET', `${URL_BASE}/`), { code: 'ECONNRESET' })
  assert.equal((await site.flowsEnded(1))[0]?.error?.code, 'http_response_incomplete')
})

test('secure: plain http opens no TLS', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using site = await TestSite.open()
  await site.serve('api.internal:80', (socket) => {
    socket.once('data', (chunk: Buffer) => {
      assert.match(chunk.toString('latin1'), /^GET \/ HTTP/)
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const socket = await site.knock('unix')
  socket.write('GET http://api.internal/ HTTP/1.1\r\n\r\n')
  await once(socket, 'data')
  assert.equal((await site.flowsEnded(1))[0]?.tls, undefined)
})
