import { HawserError } from '@hawser/core'
import type { BindingDoors, BindingHost, BindingIdentity, BindingResolver, HostPort } from '@hawser/core'
import { ConnectListener } from './doors/connect-listener.ts'
import { IntruderLog } from './doors/intruder-log.ts'
import { OpenBinding } from './doors/open-binding.ts'
import { SocketDir } from './doors/socket-dir.ts'
import type { FlowServices, TunnelRoutes } from './flow/context.ts'
import { flowServices } from './flow-services.ts'
import type { EdgeOptions } from './options.ts'
import { OwnListeners } from './own-listeners.ts'

/** What a caller passes to {@link startLocalEdge}. */
export interface LocalEdgeOptions extends Omit<EdgeOptions, 'dataDir' | 'tunnel' | 'advertise'> {
  /** Says what every private network and service is here. */
  readonly resolver: BindingResolver
}

/**
 * An edge for the Workers of one process: the same nine steps, but no tunnels, no directory and no keys, and so nothing
 * on disk and nothing that strangers could connect to.
 */
export interface LocalEdge extends BindingHost, AsyncDisposable {
  /** See `Edge.registerListener`. */
  registerListener(address: HostPort): () => void
  /** Ends all calls now and releases everything. Idempotent. */
  close(): Promise<void>
}

const NO_TUNNELS: TunnelRoutes = {
  pick: () => undefined,
  explain: (tunnelId) =>
    Promise.resolve(new HawserError('destination_unavailable', `tunnel ${tunnelId}: there are no tunnels here`)),
}

interface LocalParts {
  readonly services: FlowServices
  readonly listener: ConnectListener
  readonly intruders: IntruderLog
  readonly sockets: SocketDir
  readonly ownListeners: OwnListeners
}

class RunningLocalEdge implements LocalEdge {
  readonly #parts: LocalParts
  readonly #bindings = new Set<OpenBinding>()
  #closing: Promise<void> | undefined

  constructor(parts: LocalParts) {
    this.#parts = parts
  }

  async openBinding(identity: BindingIdentity): Promise<BindingDoors> {
    this.#refuseIfClosing()
    const { services, listener, intruders, sockets } = this.#parts
    const onClosed = (closed: OpenBinding): void => void this.#bindings.delete(closed)
    const options = { identity, services, listener, intruders, socketPath: sockets.next(), onClosed }
    const binding = await OpenBinding.open(options)
    this.#bindings.add(binding)
    if (this.#closing !== undefined) {
      await binding.close(0)
      this.#refuseIfClosing()
    }
    return binding
  }

  registerListener(address: HostPort): () => void {
    return this.#parts.ownListeners.add(address)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { listener, sockets } = this.#parts
    await using _sockets = sockets // released even if a binding does not close
    const listening = listener.close()
    await Promise.all([...this.#bindings].map((binding) => binding.close(0)))
    listener.abort() // what is left never showed a capability
    await listening
  }

  #refuseIfClosing(): void {
    if (this.#closing !== undefined) throw new HawserError('listen_failed', 'the edge is closing')
  }
}

/**
 * Opens the doors of an edge, or none.
 *
 * @throws {HawserError} `listen_failed`
 */
export async function startLocalEdge(options: LocalEdgeOptions): Promise<LocalEdge> {
  await using opening = new AsyncDisposableStack()
  const ownListeners = new OwnListeners()
  const sockets = opening.use(await SocketDir.create())
  const intruders = new IntruderLog(options.logger)
  const listener = await ConnectListener.open(intruders)
  ownListeners.add(listener.address)
  const services = flowServices(options, ownListeners, NO_TUNNELS, options.resolver)
  opening.move() // the edge's own from here on
  return new RunningLocalEdge({ services, listener, intruders, sockets, ownListeners })
}
