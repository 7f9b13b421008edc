import { randomBytes } from 'node:crypto'
import { formatHostPort, HawserError, Secret } from '@hawser/core'
import type { BindingDoors, BindingIdentity } from '@hawser/core'
import type { Call, FlowBinding, FlowContext, FlowServices } from '../flow/context.ts'
import { FailureMemory } from '../flow/failure-memory.ts'
import { runFlow } from '../flow/run-flow.ts'
import { Upgrades } from '../flow/upgrades.ts'
import { UpstreamPool } from '../http/upstream-pool.ts'
import { TlsClient } from '../tls/tls-client.ts'
import type { ConnectListener } from './connect-listener.ts'
import type { IntruderLog } from './intruder-log.ts'
import { UnixDoor } from './unix-door.ts'

const CAPABILITY_BYTES = 16
/** How long calls may take to finish when a binding is disposed of: its Worker has stopped by then. */
const DISPOSE_GRACE_MS = 1_000

export interface OpenBindingOptions {
  readonly identity: BindingIdentity
  readonly services: FlowServices
  readonly listener: ConnectListener
  readonly intruders: IntruderLog
  readonly socketPath: string
  /** Called once it has closed. */
  readonly onClosed: (binding: OpenBinding) => void
}

/** One open binding: its doors, and what its flows share. */
export class OpenBinding implements FlowBinding, BindingDoors {
  readonly identity: BindingIdentity
  readonly capability: Secret = new Secret(randomBytes(CAPABILITY_BYTES).toString('hex'))
  readonly pool: UpstreamPool = new UpstreamPool()
  readonly failures: FailureMemory = new FailureMemory()
  readonly tls: TlsClient
  readonly upgrades: Upgrades
  readonly open: Set<FlowContext> = new Set()
  readonly #options: OpenBindingOptions
  #door: UnixDoor | undefined
  #running = 0
  #idle: (() => void) | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  private constructor(options: OpenBindingOptions) {
    this.identity = options.identity
    this.#options = options
    const { trust, tlsSessions, limits } = options.services
    this.tls = new TlsClient({ rules: options.identity.tls, trust, sessions: tlsSessions })
    this.upgrades = new Upgrades((call) => this.#run(call), limits.upgradeTimeoutMs)
  }

  /** @throws {HawserError} `listen_failed`, `config_invalid` for a TLS rule that cannot be used */
  static async open(options: OpenBindingOptions): Promise<OpenBinding> {
    const binding = new OpenBinding(options)
    const { socketPath, intruders, listener } = options
    binding.#door = await UnixDoor.open({ path: socketPath, binding, intruders, take: binding.#take })
    listener.register(binding.capability, binding.#take)
    return binding
  }

  get fetchSocket(): string {
    return this.#options.socketPath
  }

  get connectAddress(): string {
    return formatHostPort(this.#options.listener.address)
  }

  /** Takes no new call; resolves when those under way have ended. */
  drain(): Promise<void> {
    return (this.#draining ??= this.#drain())
  }

  /** Drains for up to `graceMs`, then ends what is left and releases everything. */
  close(graceMs: number = DISPOSE_GRACE_MS): Promise<void> {
    return (this.#closing ??= this.#close(graceMs))
  }

  /** Ends all calls under way now. */
  abort(reason: HawserError): void {
    for (const context of this.open) context.abort(reason)
    this.#door?.abort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly #take = (call: Call): void => {
    if (call.kind === 'connect' && call.operation === 't') this.upgrades.join(call)
    else this.#run(call)
  }

  #run(call: Call): void {
    this.#running += 1
    void runFlow(this.#options.services, this, call).finally(() => {
      this.#running -= 1
      if (this.#running === 0) this.#idle?.()
    })
  }

  async #drain(): Promise<void> {
    this.#options.listener.unregister(this.capability)
    const closed = this.#door?.close()
    this.upgrades.close()
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    await closed
  }

  async #close(graceMs: number): Promise<void> {
    const drained = this.drain()
    const timer = setTimeout(() => {
      this.abort(new HawserError('connection_terminated', 'the edge is closing the binding'))
    }, graceMs)
    await drained
    clearTimeout(timer)
    this.pool.close()
    this.#options.onClosed(this)
  }
}
