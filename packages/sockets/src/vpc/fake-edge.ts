/** An edge that says what a test tells it to, for tests of this side alone. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'
import { createAuthority } from '@hawser/testkit'

const SECRET = Buffer.alloc(32, 7)

/** One connection of a client, past its TLS handshake. */
export interface Visit {
  readonly socket: TLSSocket
  /** TCP, below it. */
  readonly tcp: Socket
  /** The hello, read. */
  readonly hello: Readonly<Record<string, unknown>>
  /** Whether the proof in it is of the token, on this connection and for this target. */
  readonly proven: boolean
  /** Whether its TLS session is an earlier one's. */
  readonly resumed: boolean
  /** The head behind the hello. */
  readonly head: string
}

/** Listening until it is disposed of. */
export interface FakeEdge extends AsyncDisposable {
  readonly address: string
  readonly token: string
  readonly visits: readonly Visit[]
}

/** @param serve gets each connection once its hello and the head behind it have come */
export async function fakeEdge(serve: (visit: Visit) => void, options: TlsOptions = {}): Promise<FakeEdge> {
  const authority = await createAuthority()
  const { certPem, keyPem } = await authority.issue({ names: ['edge.hawser'] })
  const visits: Visit[] = []
  const sockets = new Set<Socket>()
  const tls = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ['hawser-client/1'], ...options })
  const tcp: Server = createTcpServer({ allowHalfOpen: true }, (below) => {
    sockets.add(below)
    below.on('error', () => {})
    below.once('close', () => sockets.delete(below))
    tls.once('secureConnection', (socket) => {
      void readVisit(socket, below).then((visit) => {
        visits.push(visit)
        serve(visit)
      })
    })
    tls.emit('connection', below)
  })
  tls.on('tlsClientError', (_error, socket) => socket.destroy())
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const fields = { client: 'c-1', secret: SECRET.toString('base64'), edges: [], ca: authority.caPem }
  return {
    address: `127.0.0.1:${(tcp.address() as AddressInfo).port}`,
    token: Buffer.from(JSON.stringify(fields)).toString('base64'),
    visits,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => tcp.close(resolve))
    },
  }
}

async function readVisit(socket: TLSSocket, tcp: Socket): Promise<Visit> {
  socket.on('error', () => {})
  let text = ''
  while (!text.includes('\r\n\r\n')) text += String(((await once(socket, 'data')) as [Buffer])[0])
  const end = text.indexOf('\n')
  const hello = JSON.parse(text.slice(0, end)) as Record<string, unknown>
  const kind = 'network' in hello ? 'network' : 'service'
  const binding = socket.exportKeyingMaterial(32, 'EXPORTER-hawser-client-1', Buffer.alloc(0))
  const hmac = createHmac('sha256', SECRET)
    .update(binding)
    .update(`\0c-1\0${kind}\0${String(hello[kind])}`)
  const proven = hello['proof'] === hmac.digest('base64')
  return { socket, tcp, hello, proven, resumed: socket.isSessionReused(), head: text.slice(end + 1) }
}
