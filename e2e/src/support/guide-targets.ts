import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Duplex } from 'node:stream'
import { createServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'
import type { TestAuthority } from '@hawser/testkit'
import { startMailServer } from './mail-server.ts'
import { tcpTarget } from './targets.ts'

/** In which all names of the guide are `localhost`, each at a port of its own. */
export const HOST = 'localhost'

/** As Redis answers the only command that the guide knows. */
function servePings(stream: Duplex): void {
  stream.on('data', (chunk: Buffer) => {
    stream.write(chunk.toString('latin1') === 'PING\r\n' ? '+PONG\r\n' : '-ERR unknown command\r\n')
  })
  stream.on('end', () => stream.end())
}

async function serveGopher(stream: Duplex): Promise<void> {
  const selector = await text(stream)
  stream.end(selector === '/\r\n' ? 'iWelcome to the hold\tfake\t(NULL)\t0\r\n.\r\n' : '3No such place\r\n')
}

/** Tells a client the name in its certificate. */
async function serveVault(stream: TLSSocket): Promise<void> {
  await text(stream)
  stream.end(String(stream.getPeerCertificate().subject.CN))
}

/** `serve` inside TLS. */
function under(options: TlsOptions, serve: (stream: TLSSocket) => void): (socket: Socket) => void {
  const server = createServer({ ...options, allowHalfOpen: true }, serve)
  server.on('tlsClientError', (_error, stream) => stream.destroy())
  return (socket) => void server.emit('connection', socket)
}

/** Every server of the guide, by the address that the guide gives it; closed with `owner`. */
export async function startGuideTargets(
  authority: TestAuthority,
  owner: AsyncDisposableStack,
): Promise<ReadonlyMap<string, number>> {
  const certificate = await authority.issue({ names: [HOST] })
  const tls = { cert: certificate.certPem, key: certificate.keyPem, ca: authority.caPem }
  const closed = await tcpTarget(() => {})
  await closed[Symbol.asyncDispose]()
  const targets = {
    'redis.internal:6379': await tcpTarget(servePings),
    'redis.internal:6380': await tcpTarget(under(tls, servePings)),
    'gopher.internal:70': await tcpTarget((socket) => void serveGopher(socket)),
    'vault.internal:8200': await tcpTarget(under({ ...tls, requestCert: true }, (stream) => void serveVault(stream))),
    'mail.internal:587': await startMailServer(certificate),
    'silent.internal:7': await tcpTarget((socket) => socket.resume()),
  }
  for (const target of Object.values(targets)) owner.use(target)
  const ports = Object.entries(targets).map(([address, { port }]): [string, number] => [address, port])
  return new Map([...ports, ['closed.internal:9', closed.port]])
}
