import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { BindingDoors, BindingNetwork, BindingResolver, FlowRecord, VpcService } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { directDialer } from './direct-dialer.ts'
import { startLocalEdge } from './local-edge.ts'

const LIMIT = { timeout: 10_000 }
const NETWORK: BindingNetwork = { kind: 'network', networkId: 'n-1' }
const SERVICE: BindingNetwork = { kind: 'service', serviceId: 's-1' }

/** All networks are this machine. */
function resolverOf(service?: VpcService): BindingResolver {
  return { service: () => service, way: () => ({ kind: 'local', dialer: directDialer(['127.0.0.1']) }) }
}

/** A request as workerd makes it: in absolute form, to the binding's socket. */
async function fetchThrough(doors: BindingDoors, url: string): Promise<{ status: number; body: string }> {
  const host = new URL(url).host
  const sent = request({ socketPath: doors.fetchSocket, path: url, headers: { host, connection: 'close' } })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, body: await text(response) }
}

async function httpService() {
  const server = createServer((message, response) => response.end(`${message.headers.host} ${message.url}`))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('takes calls to where its resolver says', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await httpService()
  await using _server = server
  const flows: FlowRecord[] = []
  await using edge = await startLocalEdge({
    logger: new CapturedLog(),
    resolver: resolverOf({ host: '127.0.0.1', httpPort: port }),
    onFlow: (flow) => flows.push(flow),
  })
  const network = await edge.openBinding({ worker: 'w', binding: 'NET', network: NETWORK })
  assert.deepEqual(await fetchThrough(network, `http://a.internal:${port}/x`), {
    status: 200,
    body: `a.internal:${port} /x`,
  })
  const service = await edge.openBinding({ worker: 'w', binding: 'SVC', network: SERVICE })
  // V-025 to V-027: neither the host nor the port of the URL is where it goes, and the Host field is the URL's.
  assert.deepEqual(await fetchThrough(service, 'http://public.example:1/y'), {
    status: 200,
    body: 'public.example:1 /y',
  })
  const https = await fetchThrough(service, 'https://public.example/y')
  assert.equal(https.status, 502)
  assert.match(https.body, /the service of SVC has no HTTPS port for https: URLs/)
  server.closeAllConnections()
  assert.deepEqual(
    flows.map(({ binding, route, error }) => [binding, route?.via, error?.code]),
    [
      ['NET', 'local', undefined],
      ['SVC', 'local', undefined],
      ['SVC', undefined, 'destination_not_found'],
    ],
  )
})

test('public egress keeps its rules, unless one is relaxed', LIMIT, async (t) => {
  assertNoLeaks(t)
  const { server, port } = await httpService()
  await using _server = server
  const identity = { worker: 'w', binding: 'egress', network: { kind: 'public' } } as const
  const options = { logger: new CapturedLog(), resolver: resolverOf() }
  await using strict = await startLocalEdge(options)
  const refused = await fetchThrough(await strict.openBinding(identity), `http://127.0.0.1:${port}/`)
  assert.equal(refused.status, 403)
  await using relaxed = await startLocalEdge({ ...options, relaxed: ['blocked-addresses'] })
  const allowed = await fetchThrough(await relaxed.openBinding(identity), `http://localhost:${port}/z`)
  assert.equal(allowed.body, `localhost:${port} /z`)
  relaxed.registerListener({ host: '127.0.0.1', port })
  const loop = await fetchThrough(await relaxed.openBinding(identity), `http://127.0.0.1:${port}/`)
  assert.match(loop.body, /own-listener/)
  server.closeAllConnections()
})

test('closing leaves nothing, and nothing opens afterwards', LIMIT, async (t) => {
  assertNoLeaks(t)
  const edge = await startLocalEdge({ logger: new CapturedLog(), resolver: resolverOf() })
  const doors = await edge.openBinding({ worker: 'w', binding: 'NET', network: NETWORK })
  const folder = dirname(doors.fetchSocket)
  assert.ok(existsSync(folder))
  await edge.close()
  await edge.close()
  assert.ok(!existsSync(folder))
  await assert.rejects(edge.openBinding({ worker: 'w', binding: 'B', network: NETWORK }), /the edge is closing/)
})
