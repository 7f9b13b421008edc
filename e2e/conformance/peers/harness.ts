import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { ConnectionCommand, PeerName, PeerPlace, PeerReport } from '../support/peer.ts'
import type { Order, Outcome } from '../worker/handler.ts'
import type { Certificates } from './certificates.ts'
import { PeerClosed } from './connection.ts'
import type { PeerConnection } from './connection.ts'
import { PeerServer } from './server.ts'

/** Runs an act for a behaviour that asked for it. */
export type Invoke = (order: Order) => Promise<Outcome>

async function obey(connection: PeerConnection, command: ConnectionCommand): Promise<PeerReport> {
  switch (command.do) {
    case 'accepted':
    case 'report':
      break
    case 'received':
      await connection.received(command.atLeast)
      break
    case 'saw':
      await connection.saw(command.event)
      break
    case 'send':
      connection.send(Buffer.from(command.text, 'latin1'))
      break
    case 'send-pattern':
      connection.sendPattern(command.count)
      break
    case 'end-abruptly':
      connection.endAbruptly()
      break
    case 'end':
    case 'reset':
    case 'pause':
    case 'resume':
      connection[command.do]()
  }
  return connection.report
}

/** Where behaviours reach their peers: an HTTP server that starts peers, says what they saw and makes them act. */
export class Harness implements AsyncDisposable {
  readonly #certificates: Certificates
  readonly #peers = new Map<string, PeerServer>()
  readonly #invokes = new Map<string, Invoke>()
  readonly #server: Server
  #nextId = 1

  private constructor(certificates: Certificates) {
    this.#certificates = certificates
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(certificates: Certificates): Promise<Harness> {
    const harness = new Harness(certificates)
    harness.#server.listen(0, '127.0.0.1')
    await once(harness.#server, 'listening')
    return harness
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Starts a peer for one run; `invoke` serves that run's acts. `work` is over when the peer is gone again. */
  async withPeer<T>(name: PeerName, invoke: Invoke, work: (place: PeerPlace) => Promise<T>): Promise<T> {
    const id = String(this.#nextId++)
    await using peer = await PeerServer.start(name, this.#certificates)
    this.#peers.set(id, peer)
    this.#invokes.set(id, invoke)
    try {
      return await work({ id, host: peer.host, port: peer.port })
    } finally {
      this.#peers.delete(id)
      this.#invokes.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let status = 200
    let answer: unknown
    try {
      answer = await this.#handle(request.url ?? '/', await json(request))
    } catch (error) {
      // Only whoever waited for something that did not come is still asking then.
      status = error instanceof PeerClosed ? 410 : 500
      answer = { error: String(error) }
    }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? null))
  }

  async #handle(path: string, body: unknown): Promise<unknown> {
    if (path === '/invoke') {
      const order = body as Order
      const invoke = this.#invokes.get(order.place.id)
      if (invoke === undefined) throw new PeerClosed('the run is over')
      return invoke(order)
    }
    const [, , id = '', what, index] = path.split('/')
    const peer = this.#peers.get(id)
    if (peer === undefined) throw new PeerClosed('the run is over')
    if (what === 'ping') return null
    if (index === undefined) return peer.connections.length
    return obey(await peer.connection(Number(index)), body as ConnectionCommand)
  }
}
