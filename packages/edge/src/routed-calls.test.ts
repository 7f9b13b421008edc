import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { parseHostPort } from '@hawser/core'
import type { BindingDoors, BindingNetwork, FlowRecord } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { connectTunnel, parseTunnelToken } from '@hawser/tunnel'
import type { TunnelConnection } from '@hawser/tunnel'
import { directDialer } from './direct-dialer.ts'
import type { Edge } from './edge.ts'
import { startEdge } from './start-edge.ts'
import { temporaryFolder } from './storage/temporary-folder.ts'

const TIMEOUT = { timeout: 60_000 }
const ANY = { host: '127.0.0.1', port: 0 }
const ACCOUNT: BindingNetwork = { kind: 'network', networkId: 'cf1:network' }

/** An edge and two sites with the same addresses: at each, every host is one server that says the site's name. */
class Sites implements AsyncDisposable {
  readonly edge: Edge
  readonly flows: FlowRecord[]
  /** Ids of the tunnels. */
  readonly tunnels = new Map<string, string>()
  readonly #owned = new AsyncDisposableStack()

  private constructor(edge: Edge, flows: FlowRecord[]) {
    this.edge = edge
    this.flows = flows
    this.#owned.defer(() => edge.close(0))
  }

  static async open(t: TestContext): Promise<Sites> {
    const flows: FlowRecord[] = []
    const dataDir = join(await temporaryFolder(t), 'data')
    const onFlow = (flow: FlowRecord): void => void flows.push(flow)
    const sites = new Sites(await startEdge({ dataDir, tunnel: ANY, logger: new CapturedLog(), onFlow }), flows)
    for (const name of ['a', 'b']) await sites.#join(name)
    return sites
  }

  /** What a URL leads to: the name of a site, or the code of the failure. */
  async ask(doors: BindingDoors, url: string): Promise<string> {
    const outgoing = request({ socketPath: doors.fetchSocket, path: url, setHost: false }).end()
    const [incoming] = await once(outgoing, 'response')
    const body = await text(incoming)
    return incoming.headers['hawser-error'] ?? body
  }

  doors(network: BindingNetwork): Promise<BindingDoors> {
    return this.edge.openBinding({ worker: 'shop', binding: 'NET', network })
  }

  /** Asks until the routes say so: they follow the directory within moments. */
  async until(t: TestContext, doors: BindingDoors, url: string, expected: string): Promise<void> {
    let told = ''
    while (told !== expected && !t.signal.aborted) told = await this.ask(doors, url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }

  async #join(name: string): Promise<void> {
    const server = this.#owned.adopt(
      createServer((_request, response) => response.end(name)),
      closeServer,
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { id } = await this.edge.directory.tunnels.create({ name })
    const token = parseTunnelToken((await this.edge.tunnelToken(id)).reveal())
    const connector: TunnelConnection = await connectTunnel({
      edge: parseHostPort(token.edges[0] ?? '', 'token'),
      token,
      connector: { id: `${name}f2b1c1e-7a55-4b8e-9f53-0d3a3b1f0c11`, version: '1', hostname: 'h', platform: 'p' },
      dial: (target, signal) => directDialer(['127.0.0.1']).dial({ ...target, port }, signal),
      logger: new CapturedLog(),
    })
    this.#owned.defer(() => connector.close(0))
    this.tunnels.set(name, id)
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

test('one binding reaches two sites by their routes, and the record says by which', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using sites = await Sites.open(t)
  const { routes, hostnameRoutes } = sites.edge.directory
  const [a = '', b = ''] = sites.tunnels.values()
  await routes.create({ network: '10.0.0.0/8', tunnelId: a })
  await routes.create({ network: '10.9.0.0/16', tunnelId: b })
  await hostnameRoutes.create({ hostname: '*.b.internal', tunnelId: b })
  const doors = await sites.doors(ACCOUNT)
  await sites.until(t, doors, 'http://db.b.internal/', 'b')
  assert.equal(await sites.ask(doors, 'http://10.1.2.3/'), 'a')
  assert.equal(await sites.ask(doors, 'http://10.9.2.3/'), 'b')
  assert.deepEqual(
    sites.flows.slice(-2).map(({ route }) => [route?.tunnelId, route?.matched]),
    [
      [a, '10.0.0.0/8'],
      [b, '10.9.0.0/16'],
    ],
  )
  assert.equal(await sites.ask(doors, 'http://11.0.0.1/'), 'destination_not_found')
  assert.match(sites.flows.at(-1)?.error?.message ?? '', /none of the 2 route\(s\) of virtual network default \(10\./)
})

test('V-156: two bindings reach the same address at two sites by their virtual networks', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using sites = await Sites.open(t)
  const { routes, virtualNetworks } = sites.edge.directory
  const [a = '', b = ''] = sites.tunnels.values()
  const { id: virtualNetworkId } = await virtualNetworks.create({ name: 'site-b' })
  await routes.create({ network: '10.0.0.0/8', tunnelId: a })
  await routes.create({ network: '10.0.0.0/8', tunnelId: b, virtualNetworkId })
  const [main, other] = [await sites.doors(ACCOUNT), await sites.doors({ ...ACCOUNT, virtualNetwork: 'site-b' })]
  await sites.until(t, other, 'http://10.1.2.3/', 'b')
  assert.equal(await sites.ask(main, 'http://10.1.2.3/'), 'a')
})

test('V-062: a route that moves takes new calls along, kept connections and all', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using sites = await Sites.open(t)
  const { routes } = sites.edge.directory
  const [a = '', b = ''] = sites.tunnels.values()
  const { id } = await routes.create({ network: '10.0.0.0/8', tunnelId: a })
  const doors = await sites.doors(ACCOUNT)
  await sites.until(t, doors, 'http://10.1.2.3/', 'a')
  await routes.update(id, { tunnelId: b })
  await sites.until(t, doors, 'http://10.1.2.3/', 'b')
  await routes.delete(id)
  await sites.until(t, doors, 'http://10.1.2.3/', 'destination_not_found')
})

test('V-025: a VPC Service of the directory is its registered target whatever the URL names', TIMEOUT, async (t) => {
  assertNoLeaks(t)
  await using sites = await Sites.open(t)
  const { services } = sites.edge.directory
  const [a = '', b = ''] = sites.tunnels.values()
  const service = { name: 'api', type: 'http', host: '10.0.0.5' } as const
  const { id: serviceId } = await services.create({ ...service, tunnelId: a })
  const doors = await sites.doors({ kind: 'service', serviceId })
  await sites.until(t, doors, 'http://evil.example:99/', 'a')
  assert.deepEqual([sites.flows.at(-1)?.target?.host, sites.flows.at(-1)?.target?.port], ['10.0.0.5', 80])
  await services.replace(serviceId, { ...service, tunnelId: b })
  await sites.until(t, doors, 'http://evil.example/', 'b')
  await services.delete(serviceId)
  await sites.until(t, doors, 'http://evil.example/', 'destination_not_found')
})
