import { formatHostPort, HawserError } from '@hawser/core'
import type {
  BindingIdentity,
  BindingNetwork,
  BindingResolver,
  BindingWay,
  Dialer,
  HostPort,
  VpcService,
} from '@hawser/core'
import { matchesHost, NoMatch, parseHostMatch } from '@hawser/workers'
import type { WorkerConfig } from '@hawser/workers'
import { dialAddress, StandInNetworks } from '../dev/stand-in-networks.ts'
import type { StandInOptions } from './hawser.ts'
import { withStandIns } from './stand-in-options.ts'

/** Which calls a served service answers; no host for any host, no port for any port. */
export interface ServedTarget {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Something that answers on this machine. */
export interface Answering {
  /** Resolves to a port of 127.0.0.1. */
  readonly listening: Promise<number>
}

interface Served extends ServedTarget {
  /** Undefined for public hosts. */
  readonly binding: string | undefined
  readonly service: Answering
}

const LOOPBACK = '127.0.0.1'
const MAX_PORT = 65_535

/**
 * Reads a port, `host`, `host:port` or `*.domain:port`.
 *
 * @throws {HawserError} `options_invalid`
 */
export function readServedTarget(target: number | string): ServedTarget {
  if (typeof target === 'string' && !/^\d+$/.test(target)) return readHost(target)
  const port = Number(target)
  if (Number.isInteger(port) && port >= 1 && port <= MAX_PORT) return { port }
  throw new HawserError('options_invalid', `serve(): the port must be 1 to ${MAX_PORT}, got ${target}`)
}

function readHost(target: string): ServedTarget {
  try {
    return parseHostMatch(target)
  } catch (error) {
    if (!(error instanceof NoMatch)) throw error
    const got = JSON.stringify(target)
    throw new HawserError('options_invalid', `serve(): the target must be ${error.message}, got ${got}`)
  }
}

/** Which of two that match says more: a host more than a wildcard, that more than any host; then a port more than none. */
function rank({ host, port }: ServedTarget): number {
  const byHost = host === undefined ? 0 : host.startsWith('*.') ? 2 : 4
  return byHost + (port === undefined ? 0 : 1)
}

function matches({ host, port }: ServedTarget, target: HostPort): boolean {
  return (port === undefined || port === target.port) && (host === undefined || matchesHost(host, target.host))
}

function servedDialer({ service }: Served): Dialer {
  return {
    dial: async (target, signal) => dialAddress(LOOPBACK, target, await service.listening, signal),
  }
}

/** The private networks of one Worker under test: what the test serves, then stand-ins, then this machine. */
export class PrivateNetworks implements BindingResolver {
  #config: WorkerConfig | undefined
  readonly #options: StandInOptions
  readonly #standIns = new StandInNetworks(() => {})
  readonly #served: Served[] = []
  readonly #onDial: (flowId: string, binding: string, target: HostPort) => void

  /** @param onDial told of every call into a private network when it is about to be dialled */
  constructor(options: StandInOptions, onDial: (flowId: string, binding: string, target: HostPort) => void) {
    this.#options = options
    this.#onDial = onDial
  }

  /** @throws {HawserError} `options_invalid` for stand-ins of bindings that the Worker does not have */
  use(config: WorkerConfig): void {
    const merged = withStandIns(config, this.#options)
    this.#standIns.use(merged)
    this.#config = merged
  }

  /** @throws {HawserError} `options_invalid` unless the Worker has a binding of this kind and name */
  check(kind: 'networks' | 'services', binding: string): void {
    const known = (this.#config?.[kind] ?? []).map((entry) => entry.binding)
    if (known.includes(binding)) return
    const other = kind === 'networks' ? 'services' : 'networks'
    const isOther = this.#config?.[other].some((entry) => entry.binding === binding) === true
    const hint = isOther ? `; it is one of "vpc_${other}": ask ${other.slice(0, -1)}()` : ''
    const names = known.length === 0 ? 'there are none' : `there are: ${known.join(', ')}`
    throw new HawserError(
      'options_invalid',
      `${kind.slice(0, -1)}(${JSON.stringify(binding)}): no such binding of "vpc_${kind}" (${names})${hint}`,
    )
  }

  /**
   * @param binding undefined for public hosts
   * @returns a function that takes it back
   */
  serve(binding: string | undefined, target: ServedTarget, service: Answering): () => void {
    const entry = { ...target, binding, service }
    this.#served.unshift(entry) // of two that say the same, the later one counts
    return () => {
      const at = this.#served.indexOf(entry)
      if (at >= 0) this.#served.splice(at, 1)
    }
  }

  identityOf(identity: BindingIdentity): BindingIdentity {
    return this.#standIns.identityOf(identity)
  }

  service(identity: BindingIdentity): VpcService | undefined {
    return this.#standIns.service(identity)
  }

  way(identity: BindingIdentity, network: BindingNetwork, target: HostPort): BindingWay {
    const served = this.#find(this.#bindingOf(identity), target)
    if (served !== undefined) return { kind: 'local', dialer: this.#dialerTo(identity, servedDialer(served)) }
    const way = this.#standIns.way(identity, network, target)
    return way.kind === 'tunnel' ? way : { kind: way.kind, dialer: this.#dialerTo(identity, way.dialer) }
  }

  standIn(identity: BindingIdentity, target: HostPort): Dialer | undefined {
    const served = this.#find(undefined, target)
    const dialer = served === undefined ? this.#standIns.standIn(identity, target) : servedDialer(served)
    return dialer === undefined ? undefined : this.#dialerTo(identity, dialer)
  }

  /** Tells of each call. */
  #dialerTo({ binding }: BindingIdentity, dialer: Dialer): Dialer {
    return {
      dial: (target, signal) => {
        this.#onDial(target.flowId, binding, target)
        return dialer.dial(target, signal)
      },
    }
  }

  /** Public egress has no binding of its own: what it leads to is one of the others. */
  #bindingOf({ binding }: BindingIdentity): string {
    const { networks = [], services = [], egress } = this.#config ?? {}
    const isNamed = [...networks, ...services].some((entry) => entry.binding === binding)
    return isNamed ? binding : (egress?.binding ?? binding)
  }

  #find(binding: string | undefined, target: HostPort): Served | undefined {
    let best: Served | undefined
    for (const entry of this.#served) {
      if (entry.binding !== binding || !matches(entry, target)) continue
      if (best === undefined || rank(entry) > rank(best)) best = entry
    }
    return best
  }
}

/** `MY_VPC db.internal:5432`, for messages. */
export function nameOf(binding: string = 'egress', { host, port }: ServedTarget): string {
  if (host === undefined) return port === undefined ? binding : `${binding} port ${port}`
  return `${binding} ${port === undefined ? host : formatHostPort({ host, port })}`
}
