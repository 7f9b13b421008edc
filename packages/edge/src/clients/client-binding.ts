import type { BindingIdentity, HawserError } from '@hawser/core'
import type { Call, FlowBinding, FlowContext, FlowServices } from '../flow/context.ts'
import { FailureMemory } from '../flow/failure-memory.ts'
import { runFlow } from '../flow/run-flow.ts'
import { Upgrades } from '../flow/upgrades.ts'
import { UpstreamPool } from '../http/upstream-pool.ts'
import { TlsClient } from '../tls/tls-client.ts'

/** What the flows of one client into one network share: a binding without a Worker. */
export class ClientBinding implements FlowBinding {
  readonly identity: BindingIdentity
  readonly pool: UpstreamPool = new UpstreamPool()
  readonly failures: FailureMemory = new FailureMemory()
  readonly tls: TlsClient
  readonly upgrades: Upgrades
  readonly open: Set<FlowContext> = new Set()
  readonly #services: FlowServices
  #running = 0
  #idle: (() => void) | undefined
  #draining: Promise<void> | undefined

  constructor(identity: BindingIdentity, services: FlowServices) {
    this.identity = identity
    this.#services = services
    this.tls = new TlsClient({ rules: identity.tls, trust: services.trust, sessions: services.tlsSessions })
    this.upgrades = new Upgrades((call) => this.#run(call), services.limits.upgradeTimeoutMs)
  }

  /** Begins the flow of one call, or takes it to the connection that it is to upgrade. */
  readonly take = (call: Call): void => {
    if (call.kind === 'connect' && call.operation === 't') this.upgrades.join(call)
    else this.#run(call)
  }

  /** Resolves when the flows under way have ended; whoever calls it lets no new ones in. */
  drain(): Promise<void> {
    return (this.#draining ??= this.#drain())
  }

  /** Ends all flows under way now. */
  abort(reason: HawserError): void {
    for (const context of this.open) context.abort(reason)
  }

  #run(call: Call): void {
    this.#running += 1
    void runFlow(this.#services, this, call).finally(() => {
      this.#running -= 1
      if (this.#running === 0) this.#idle?.()
    })
  }

  async #drain(): Promise<void> {
    this.upgrades.close()
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    this.pool.close()
  }
}
