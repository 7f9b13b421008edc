/** VPC Services behind TLS: which name is verified, and how strictly. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { BindingIdentity, TlsVerification } from '@hawser/core'
import { assertNoLeaks, CapturedLog, createAuthority } from '@hawser/testkit'
import { directDialer } from './direct-dialer.ts'
import { startLocalEdge } from './local-edge.ts'

const LIMIT = { timeout: 15_000 }
const IDENTITY: BindingIdentity = { worker: 'w', binding: 'SVC', network: { kind: 'service', serviceId: 's-1' } }
const DIALER = directDialer(['127.0.0.1'])

/** An HTTPS service for `api.internal`, registered by its address, and an edge with a binding to it. */
async function lab(verify?: TlsVerification) {
  await using opening = new AsyncDisposableStack()
  const authority = await createAuthority()
  const { certPem, keyPem } = await authority.issue({ names: ['api.internal'] })
  const names: string[] = []
  const server = createServer(
    {
      cert: certPem,
      key: keyPem,
      SNICallback: (name, done) => {
        names.push(name)
        done(null)
      },
    },
    (message, response) => response.end(`${message.headers.host} ${message.url}`),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opening.use(server)
  opening.defer(() => server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const edge = opening.use(
    await startLocalEdge({
      logger: new CapturedLog(),
      resolver: {
        service: () => ({ host: '127.0.0.1', httpsPort: port, verify }),
        way: () => ({ kind: 'local', dialer: DIALER }),
      },
    }),
  )
  const owned = opening.move()
  const trusting = { ...IDENTITY, tls: [{ host: 'api.internal', caPem: authority.caPem }] }
  return { edge, names, trusting, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

type Lab = Awaited<ReturnType<typeof lab>>

async function call({ edge }: Lab, identity: BindingIdentity, url: string): Promise<string> {
  const doors = await edge.openBinding(identity)
  const headers = { host: new URL(url).host, connection: 'close' }
  const sent = request({ socketPath: doors.fetchSocket, path: url, headers })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const body = await text(response)
  return response.statusCode === 200 ? body : (JSON.parse(body) as { code: string }).code
}

test('V-026, V-036: the host of the URL is the SNI, the Host field and the name that is verified', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await lab()
  assert.equal(await call(site, site.trusting, 'https://api.internal/a'), 'api.internal /a')
  assert.equal(await call(site, site.trusting, 'https://api.internal:1/a'), 'api.internal:1 /a')
  assert.deepEqual(site.names, ['api.internal', 'api.internal'])
})

test('V-034: a CA that nobody knows is refused, by whatever name', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await lab()
  assert.equal(await call(site, IDENTITY, 'https://api.internal/'), 'tls_certificate_error')
  assert.equal(await call(site, site.trusting, 'https://other.internal/'), 'tls_certificate_error')
})

test('V-010: verify_ca asks for the chain still, disabled for nothing', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using chain = await lab('verify_ca')
  assert.equal(await call(chain, IDENTITY, 'https://api.internal/'), 'tls_certificate_error')
  await using anybody = await lab('disabled')
  assert.equal(await call(anybody, IDENTITY, 'https://other.internal/b'), 'other.internal /b')
})

test('a rule of the binding wins over what the service is registered with', LIMIT, async (t) => {
  assertNoLeaks(t)
  await using site = await lab('disabled')
  const strict = { ...site.trusting, tls: site.trusting.tls.map((rule) => ({ ...rule, host: 'other.internal' })) }
  assert.equal(await call(site, strict, 'https://other.internal/'), 'tls_certificate_error')
})
