import { HawserError, Secret } from '@hawser/core'
import type { BindingDoors, BindingHost, BindingIdentity, FlowRecord, HostPort } from '@hawser/core'
import type { Directory } from '@hawser/directory'
import { formatTunnelToken } from '@hawser/tunnel'
import type { ConnectorConnection } from '@hawser/tunnel'
import type { ClientListener } from './clients/client-listener.ts'
import { formatClientToken } from './clients/client-token.ts'
import type { ConnectListener } from './doors/connect-listener.ts'
import type { IntruderLog } from './doors/intruder-log.ts'
import { OpenBinding } from './doors/open-binding.ts'
import type { SocketDir } from './doors/socket-dir.ts'
import type { FlowServices } from './flow/context.ts'
import type { FlowCounters } from './flow/record.ts'
import type { OwnListeners } from './own-listeners.ts'
import type { TunnelStates } from './tunnel-states.ts'
import type { Tunnels } from './tunnels.ts'

/** A running edge. */
export interface Edge extends BindingHost, AsyncDisposable {
  /** 16 hexadecimal digits, the same at every start on one data directory. */
  readonly id: string
  /** Where connectors connect to. */
  readonly tunnelAddress: HostPort
  /** Where programs that are no Workers connect to; undefined where the edge takes none. */
  readonly clientsAddress: HostPort | undefined
  readonly directory: Directory
  /** Totals over all flows. */
  readonly counters: FlowCounters
  /**
   * What a connector of this tunnel needs to know.
   *
   * @throws {HawserError} `not_found` for a tunnel that does not exist or is deleted
   */
  tunnelToken(tunnelId: string): Promise<Secret>
  /**
   * What a program needs to know to call through this edge.
   *
   * @throws {HawserError} `not_found` for a client that does not exist or is deleted
   */
  clientToken(clientId: string): Promise<Secret>
  /** Ends the calls and connections of a client that has been deleted. */
  disconnectClient(clientId: string): void
  /** The connectors of a tunnel that are connected now. */
  connections(tunnelId: string): readonly ConnectorConnection[]
  /** Tells the connectors of a tunnel that the directory has a new configuration for them. */
  configureTunnel(tunnelId: string): Promise<void>
  /** How things stand now: whether new calls are taken, and how many tunnels are connected by how many connections. */
  live(): { readonly taking: boolean; readonly tunnels: number; readonly connections: number }
  /** The flows that ended last, oldest first. */
  recentFlows(): readonly FlowRecord[]
  /**
   * Names one more address that belongs to this edge (its API, its HTTP listener): public egress will not go there.
   *
   * @returns a function that takes it back
   */
  registerListener(address: HostPort): () => void
  /**
   * Takes no new calls and no new connectors; resolves when the calls under way have ended. Connectors look for another edge,
   * and stay connected for those calls.
   */
  drain(): Promise<void>
  /** Takes no new calls, waits up to `graceMs` for those under way, then releases everything. Idempotent. @default 10_000 */
  close(graceMs?: number): Promise<void>
  /** Ends all calls now, then releases everything. */
  abort(reason: HawserError): Promise<void>
  /** Resolves once everything has been released. */
  readonly closed: Promise<void>
}

const GRACE_MS = 10_000

/** What an edge consists of, opened by `startEdge`. */
export interface EdgeParts {
  readonly id: string
  readonly directory: Directory
  readonly caPem: string
  /** `host:port` for tokens. */
  readonly edges: readonly string[]
  readonly tunnelAddress: HostPort
  readonly clients: ClientListener | undefined
  /** `host:port` for tokens of clients. */
  readonly clientEdges: readonly string[]
  readonly tunnels: Tunnels
  /** Tells connectors to look for another edge, and takes no new ones. */
  readonly leaveTunnels: () => void
  readonly states: TunnelStates
  readonly services: FlowServices
  readonly listener: ConnectListener
  readonly intruders: IntruderLog
  readonly sockets: SocketDir
  readonly ownListeners: OwnListeners
  /** Released in reverse order once the bindings are closed. */
  readonly owned: AsyncDisposableStack
}

export class RunningEdge implements Edge {
  readonly id: string
  readonly tunnelAddress: HostPort
  readonly clientsAddress: HostPort | undefined
  readonly directory: Directory
  readonly counters: FlowCounters
  readonly #parts: EdgeParts
  readonly #bindings = new Set<OpenBinding>()
  readonly #ended = Promise.withResolvers<void>()
  readonly closed: Promise<void> = this.#ended.promise
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** Takes ownership of `parts.owned`. */
  constructor(parts: EdgeParts) {
    this.#parts = parts
    this.id = parts.id
    this.tunnelAddress = parts.tunnelAddress
    this.clientsAddress = parts.clients?.address
    this.directory = parts.directory
    this.counters = parts.services.recorder.counters
  }

  async openBinding(identity: BindingIdentity): Promise<BindingDoors> {
    this.#refuseIfEnding()
    const { services, listener, intruders, sockets } = this.#parts
    const onClosed = (closed: OpenBinding): void => void this.#bindings.delete(closed)
    const socketPath = sockets.next()
    const binding = await OpenBinding.open({ identity, services, listener, intruders, socketPath, onClosed })
    if (this.#ending) {
      await binding.close(0)
      this.#refuseIfEnding()
    }
    this.#bindings.add(binding)
    return binding
  }

  async tunnelToken(tunnelId: string): Promise<Secret> {
    const { directory, caPem, edges } = this.#parts
    const secret = await directory.tunnels.secretOf(tunnelId)
    if (secret === undefined) throw new HawserError('not_found', `there is no tunnel ${JSON.stringify(tunnelId)}`)
    return new Secret(formatTunnelToken({ accountId: directory.accountId, tunnelId, secret, edges, caPem }))
  }

  async clientToken(clientId: string): Promise<Secret> {
    const { directory, caPem, clientEdges: edges } = this.#parts
    const secret = await directory.clients.secretOf(clientId)
    if (secret === undefined) throw new HawserError('not_found', `there is no client ${JSON.stringify(clientId)}`)
    return new Secret(formatClientToken({ clientId, secret, edges, caPem }))
  }

  disconnectClient(clientId: string): void {
    this.#parts.clients?.disconnect(clientId)
  }

  connections(tunnelId: string): readonly ConnectorConnection[] {
    return this.#parts.tunnels.of(tunnelId)
  }

  configureTunnel(tunnelId: string): Promise<void> {
    return this.#parts.states.configure(tunnelId)
  }

  live(): { readonly taking: boolean; readonly tunnels: number; readonly connections: number } {
    return { taking: !this.#ending, ...this.#parts.tunnels.live() }
  }

  recentFlows(): readonly FlowRecord[] {
    return this.#parts.services.recorder.recent()
  }

  registerListener(address: HostPort): () => void {
    return this.#parts.ownListeners.add(address)
  }

  drain(): Promise<void> {
    this.#parts.leaveTunnels()
    const draining = [...this.#bindings].map((binding) => binding.drain())
    return (this.#draining ??= Promise.all([...draining, this.#parts.clients?.drain()]).then(() => {}))
  }

  close(graceMs: number = GRACE_MS): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close(graceMs)
      this.#closing.then(this.#ended.resolve, this.#ended.resolve) // what failed is told to who asked
    }
    return this.#closing
  }

  abort(reason: HawserError): Promise<void> {
    for (const binding of this.#bindings) binding.abort(reason)
    this.#parts.clients?.abort(reason)
    return this.close(0)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceMs: number): Promise<void> {
    await using _owned = this.#parts.owned // released even if a binding does not close
    this.#parts.leaveTunnels()
    const listening = this.#parts.listener.close()
    const closing = [...this.#bindings].map((binding) => binding.close(graceMs))
    await Promise.all([...closing, this.#parts.clients?.close(graceMs)])
    this.#parts.listener.abort() // what is left never showed a capability
    await listening
  }

  get #ending(): boolean {
    return this.#closing !== undefined || this.#draining !== undefined
  }

  #refuseIfEnding(): void {
    if (this.#ending) throw new HawserError('listen_failed', 'the edge is closing')
  }
}
