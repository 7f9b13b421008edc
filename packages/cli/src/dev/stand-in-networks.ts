import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connectAddress, dialError, ERRORS, formatHostPort, HawserError, raceConnect } from '@hawser/core'
import type {
  BindingIdentity,
  BindingNetwork,
  BindingResolver,
  BindingWay,
  Dialed,
  Dialer,
  DialTarget,
  HostPort,
  VpcService,
  StopSignal,
} from '@hawser/core'
import { standInFor } from '@hawser/workers'
import type { WorkerConfig } from '@hawser/workers'
import { edgeDialers } from './edge-dialers.ts'

/** Where this machine answers: servers that listen on `localhost` take one family or the other. */
const THIS_MACHINE: readonly string[] = ['127.0.0.1', '::1']

/** A call that reached this machine because nothing says where it should go. */
export interface UnknownTarget {
  readonly worker: string
  readonly binding: string
  readonly network: BindingNetwork
  /** As the Worker named it. */
  readonly target: HostPort
}

/** Addresses of a stand-in. A name is for this machine's own resolver: it stands in no private network. */
async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

/** Opens a connection to an address of this machine that stands in for `target`, with reasons that name both. */
export async function dialAddress(
  host: string | undefined,
  target: DialTarget,
  port: number,
  signal: StopSignal,
): Promise<Dialed> {
  const what = formatHostPort({ host: host ?? 'localhost', port })
  try {
    const addresses = host === undefined ? THIS_MACHINE : await addressesOf(host)
    const { socket, ip } = await raceConnect(addresses, port, connectAddress, { signal, timeoutMs: target.timeoutMs })
    return { stream: socket, remoteAddress: formatHostPort({ host: ip, port }) }
  } catch (error) {
    if (signal.aborted) throw HawserError.from(signal.reason, 'connection_aborted')
    const { code } = dialError(error, what)
    const named = formatHostPort(target)
    const reason = `${what}, which stands in for ${named}: ${ERRORS[code].summary}`
    throw new HawserError(code, host === target.host ? `${what}: ${ERRORS[code].summary}` : reason, { cause: error })
  }
}

/**
 * What the private networks and services of one Worker are on a developer's machine: the stand-ins of its `hawser.jsonc`,
 * the real network where there is a token for it, and for all else the machine itself.
 */
export class StandInNetworks implements BindingResolver {
  #config: WorkerConfig | undefined
  /** By binding: the way to the real network, where there is a token for it. */
  #edges: ReadonlyMap<string, Dialer> = new Map()
  readonly #onUnknown: (unknown: UnknownTarget) => void

  /** @param onUnknown called at every such call; whoever listens says it once */
  constructor(onUnknown: (unknown: UnknownTarget) => void) {
    this.#onUnknown = onUnknown
  }

  /**
   * From here on this configuration holds.
   *
   * @throws {HawserError} `config_invalid` for a token that is none
   */
  use(config: WorkerConfig): void {
    this.#edges = edgeDialers(config)
    this.#config = config
  }

  /** A service without a stand-in becomes a network, so that the call itself says which port of this machine is meant. */
  identityOf(identity: BindingIdentity): BindingIdentity {
    const { network } = identity
    if (network.kind !== 'service' || this.#standInOf(identity.binding) !== undefined) return identity
    return { ...identity, network: { kind: 'network', networkId: network.serviceId } }
  }

  service(identity: BindingIdentity): VpcService | undefined {
    return this.#standInOf(identity.binding)
  }

  way(identity: BindingIdentity, network: BindingNetwork, { host, port }: HostPort): BindingWay {
    if (network.kind === 'service') return { kind: 'local', dialer: REGISTERED }
    const config = this.#config
    // Public egress has no binding of its own: what it leads to is one of the others.
    const isNamed = config?.networks.some(({ binding }) => binding === identity.binding) === true
    const binding = isNamed ? identity.binding : (config?.egress?.binding ?? identity.binding)
    const found = standInFor(config?.standIns.networks[binding], host, port)
    const edge = found === undefined ? this.#edges.get(binding) : undefined
    if (edge !== undefined) return { kind: 'edge', dialer: edge }
    const dial: Dialer['dial'] = (target, signal) => {
      if (found === undefined) this.#onUnknown({ worker: identity.worker, binding, network, target })
      return dialAddress(found?.host, target, found?.port ?? port, signal)
    }
    return { kind: 'local', dialer: { dial } }
  }

  standIn(_identity: BindingIdentity, { host, port }: HostPort): Dialer | undefined {
    const found = standInFor(this.#config?.standIns.egress, host, port)
    if (found === undefined) return undefined
    return { dial: (target, signal) => dialAddress(found.host, target, found.port, signal) }
  }

  #standInOf(binding: string): VpcService | undefined {
    return this.#config?.standIns.services[binding]
  }
}

/** The target of a service is its registered host already. */
const REGISTERED: Dialer = { dial: (target, signal) => dialAddress(target.host, target, target.port, signal) }
