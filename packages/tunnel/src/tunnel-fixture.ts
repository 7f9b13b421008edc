import { randomBytes } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'
import type { Dialed, DialTarget } from '@hawser/core'
import { CapturedLog, createAuthority, memoryPair } from '@hawser/testkit'
import type { TestAuthority, TestCertificate } from '@hawser/testkit'
import { connectTunnel } from './connect-tunnel.ts'
import type { ConnectTunnelOptions } from './connect-tunnel.ts'
import type { ConnectorConnection } from './connector-connection.ts'
import { listenForTunnels } from './listen-for-tunnels.ts'
import type { TunnelListener, TunnelListenerOptions } from './listen-for-tunnels.ts'
import type { TunnelToken } from './token.ts'
import type { TunnelConnection } from './tunnel-connection.ts'
import { EDGE_SERVER_NAME } from './transport.ts'

export const TUNNEL_ID = '8f2f1a3e-52a2-4b53-9c53-000000000001'
export const CONNECTOR = { id: 'connector-1', version: '0.1.0', hostname: 'box', platform: 'linux-x64' } as const
export const TARGET: DialTarget = { host: 'db.internal', port: 5432, flowId: 'f1', timeoutMs: 1_000 }

/** For tests: an edge's listener, a token for it, and what it has been given. */
export interface TunnelFixture extends AsyncDisposable {
  readonly authority: TestAuthority
  readonly certificate: TestCertificate
  readonly token: TunnelToken
  readonly listener: TunnelListener
  readonly log: CapturedLog
  /** The next connection that has registered. */
  accepted(): Promise<ConnectorConnection>
  connect(options?: Partial<ConnectTunnelOptions>): Promise<TunnelConnection>
}

/** A target that sends back whatever it gets, end included. */
export function echo(): Promise<Dialed> {
  const [near, far] = memoryPair()
  far.on('error', () => {})
  far.pipe(far)
  return Promise.resolve({ stream: near, remoteAddress: '10.0.0.7:5432' })
}

/** Starts a listener on loopback. Disposing closes it and every connection. */
export async function tunnelFixture(options: Partial<TunnelListenerOptions> = {}): Promise<TunnelFixture> {
  const authority = await createAuthority()
  const certificate = await authority.issue({ names: [EDGE_SERVER_NAME] })
  const secret = new Secret(randomBytes(32).toString('base64'))
  const log = new CapturedLog()
  const connections: ConnectorConnection[] = []
  const waiting: ((connection: ConnectorConnection) => void)[] = []
  const listener = await listenForTunnels({
    listen: { host: '127.0.0.1', port: 0 },
    edgeId: 'edge-1',
    certPem: certificate.certPem,
    keyPem: new Secret(certificate.keyPem),
    secretOf: (tunnelId) => Promise.resolve(tunnelId === TUNNEL_ID ? secret : undefined),
    onConnection: (connection) => {
      const next = waiting.shift()
      if (next === undefined) connections.push(connection)
      else next(connection)
    },
    logger: log,
    ...options,
  })
  const accountId = '0123456789abcdef0123456789abcdef'
  const token = { accountId, tunnelId: TUNNEL_ID, secret, edges: [], caPem: authority.caPem }
  const opened: TunnelConnection[] = []
  return {
    authority,
    certificate,
    token,
    listener,
    log,
    accepted: () => {
      const connection = connections.shift()
      return connection === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(connection)
    },
    connect: async (more = {}) => {
      const connection = await connectTunnel({
        edge: listener.address,
        token,
        connector: CONNECTOR,
        dial: echo,
        logger: log,
        ...more,
      })
      opened.push(connection)
      return connection
    },
    [Symbol.asyncDispose]: async () => {
      for (const connection of opened) connection.abort(new HawserError('tunnel_closed', 'the test is over'))
      await Promise.all([...opened.map(({ closed }) => closed), listener.close(0)])
    },
  }
}
