/** Edges with one thing wrong each, and tokens for them, for the tests of the diagnosis. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { Secret } from '@hawser/core'
import type { CertificateOptions, TestAuthority } from '@hawser/testkit'
import { EDGE_SERVER_NAME, formatTunnelToken, TUNNEL_ALPN } from '@hawser/tunnel'

/** Something that listens in place of an edge. Disposing resets whoever is connected. */
export interface TestEdge extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly address: string
}

const IDS = { accountId: '0'.repeat(32), tunnelId: '8f2f1a3e-52a2-4b53-9c53-0e5d0c1b2a39' }
const SECRET = new Secret(Buffer.alloc(32, 42).toString('base64'))

/** A token that is in order, for edges that are not. */
export function testToken(caPem: string, edges: readonly string[]): string {
  return formatTunnelToken({ ...IDS, secret: SECRET, edges, caPem })
}

async function serve(server: Server): Promise<TestEdge> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

/** Speaks no TLS: does what `greet` does with each connection. */
export function plainEdge(greet: (socket: Socket) => void): Promise<TestEdge> {
  return serve(createServer(greet))
}

/** Speaks TLS with a certificate of `authority`, and nothing inside. */
export async function tlsEdge(
  authority: TestAuthority,
  certificate: CertificateOptions = {},
  tls: TlsOptions = {},
): Promise<TestEdge> {
  const { certPem, keyPem } = await authority.issue({ names: [EDGE_SERVER_NAME], ...certificate })
  const server = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: [TUNNEL_ALPN], ...tls })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => void socket.on('error', () => {}))
  return serve(server)
}

/** An address that nothing listens on: it was free a moment ago. */
export async function closedAddress(): Promise<string> {
  const edge = await plainEdge(() => {})
  await edge[Symbol.asyncDispose]()
  return edge.address
}
