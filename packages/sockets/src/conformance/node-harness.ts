import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket as NodeSocket } from 'node:net'
import { connect } from '../connect.ts'
import type { Connect, Harness, PeerOptions } from './behaviour.ts'
import { ScriptedPeer } from './peer.ts'
import type { PeerCertificates } from './peer.ts'

/** Turns of the event loop that count as "nothing more happens". */
const QUIET_TURNS = 40

/** Runs behaviours in this process, on the `connect` of this package. */
export class NodeHarness implements Harness, AsyncDisposable {
  readonly connect: Connect
  readonly #certificates: PeerCertificates
  readonly #peers: ScriptedPeer[] = []
  /** Every socket this process has dialled meanwhile: behaviours leave theirs as they are. */
  readonly #dialled = new Set<NodeSocket>()

  constructor(certificates: PeerCertificates, using: unknown = connect) {
    this.#certificates = certificates
    this.connect = using as Connect
    subscribe('net.client.socket', this.#note)
  }

  async peer(options?: PeerOptions): Promise<ScriptedPeer> {
    const peer = await ScriptedPeer.listen(this.#certificates, options)
    this.#peers.push(peer)
    return peer
  }

  async refused(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    await once(server, 'close')
    return address === null || typeof address === 'string' ? 0 : address.port
  }

  async quiet(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn += 1) await new Promise(setImmediate)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe('net.client.socket', this.#note)
    await Promise.all(this.#peers.map((peer) => peer.close()))
    const open = [...this.#dialled].filter((socket) => !socket.closed)
    for (const socket of open) socket.destroy()
    await Promise.all(open.filter((socket) => !socket.closed).map((socket) => once(socket, 'close')))
  }

  readonly #note = (message: unknown): void => {
    this.#dialled.add((message as { socket: NodeSocket }).socket)
  }
}
