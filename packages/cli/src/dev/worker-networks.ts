import { HawserError } from '@hawser/core'
import type {
  BindingIdentity,
  BindingNetwork,
  BindingResolver,
  BindingWay,
  Dialer,
  HostPort,
  VpcService,
} from '@hawser/core'
import type { WorkerConfig } from '@hawser/workers'
import { StandInNetworks } from './stand-in-networks.ts'
import type { UnknownTarget } from './stand-in-networks.ts'

/** The networks of all Workers that run side by side: each has those of its own files. */
export class WorkerNetworks implements BindingResolver {
  readonly #onUnknown: (unknown: UnknownTarget) => void
  #networks: ReadonlyMap<string, StandInNetworks> = new Map()

  /** @param onUnknown as for {@link StandInNetworks} */
  constructor(onUnknown: (unknown: UnknownTarget) => void) {
    this.#onUnknown = onUnknown
  }

  /**
   * From here on these configurations hold.
   *
   * @throws {HawserError} `config_invalid`; what held before still holds
   */
  use(configs: readonly WorkerConfig[]): void {
    this.#networks = new Map(
      configs.map((config) => {
        const networks = new StandInNetworks(this.#onUnknown)
        networks.use(config)
        return [config.name, networks]
      }),
    )
  }

  /** See {@link StandInNetworks.identityOf}. */
  identityOf(identity: BindingIdentity): BindingIdentity {
    return this.#of(identity).identityOf(identity)
  }

  service(identity: BindingIdentity): VpcService | undefined {
    return this.#of(identity).service(identity)
  }

  way(identity: BindingIdentity, network: BindingNetwork, target: HostPort): BindingWay {
    return this.#of(identity).way(identity, network, target)
  }

  standIn(identity: BindingIdentity, target: HostPort): Dialer | undefined {
    return this.#of(identity).standIn(identity, target)
  }

  #of({ worker }: BindingIdentity): StandInNetworks {
    const found = this.#networks.get(worker)
    if (found === undefined) throw new HawserError('proxy_internal_error', `no Worker ${worker} is developed here`)
    return found
  }
}
