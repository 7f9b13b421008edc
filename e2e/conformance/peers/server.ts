import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { PeerName } from '../support/peer.ts'
import type { Certificates } from './certificates.ts'
import { PeerClosed, PeerConnection } from './connection.ts'
import { scripts } from './scripts.ts'
import type { Script } from './scripts.ts'

const IPV4 = '127.0.0.1'
const IPV6 = '::1'
const PORT_ATTEMPTS = 20

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Takes one port on both loopback addresses, since a name like `localhost` may mean either. */
async function listenOnBoth(accept: (socket: Socket) => void): Promise<{ servers: readonly Server[]; port: number }> {
  for (let attempt = 0; ; attempt += 1) {
    const make = (): Server => createServer({ allowHalfOpen: true, noDelay: true }, accept)
    const [four, six] = [make(), make()]
    const port = await listen(four, IPV4, 0)
    try {
      await listen(six, IPV6, port)
      return { servers: [four, six], port }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // A machine without IPv6 runs all but the behaviours about it.
      if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return { servers: [four], port }
      four.close()
      if (code !== 'EADDRINUSE' || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

/** One scripted server, for one run of one behaviour. */
export class PeerServer implements AsyncDisposable {
  readonly host = IPV4
  readonly connections: PeerConnection[] = []
  #port = 0
  #release: () => Promise<void> = () => Promise.resolve()
  #waiting: (() => void)[] = []
  #closed = false

  get port(): number {
    return this.#port
  }

  static async start(name: PeerName, certificates: Certificates): Promise<PeerServer> {
    const peer = new PeerServer()
    await (name === 'refuse' ? peer.#refuse() : peer.#accept(scripts[name], certificates))
    return peer
  }

  /** Waits for the connection that arrives as number `index`, from 0. */
  async connection(index: number): Promise<PeerConnection> {
    for (;;) {
      const found = this.connections[index]
      if (found !== undefined) return found
      if (this.#closed) throw new PeerClosed(`the peer was closed before connection ${index} came`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Destroys whatever is still connected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const connection of this.connections) connection.dispose()
    this.#wake()
    await this.#release()
  }

  async #accept(script: Script, certificates: Certificates): Promise<void> {
    const { servers, port } = await listenOnBoth((socket) => {
      const connection = new PeerConnection(socket)
      script(connection, certificates)
      this.connections.push(connection)
      this.#wake()
    })
    this.#port = port
    this.#release = async () => {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    }
  }

  /** Holds a port that nobody listens on: the local port of a connection of its own. */
  async #refuse(): Promise<void> {
    const server = createServer()
    const port = await listen(server, IPV4, 0)
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const holder = connect({ host: IPV4, port, localAddress: IPV4 })
    const [[other]] = await Promise.all([accepted, once(holder, 'connect')])
    for (const socket of [holder, other]) socket.on('error', () => {})
    this.#port = holder.localPort ?? 0
    this.#release = async () => {
      holder.destroy()
      other.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
