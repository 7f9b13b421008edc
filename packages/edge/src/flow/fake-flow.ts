/** One flow without doors or sockets, for tests of single steps. */
import type { Duplex } from 'node:stream'
import { createSecureContext } from 'node:tls'
import { HawserError } from '@hawser/core'
import type {
  AuthorityOperation,
  BindingIdentity,
  BindingNetwork,
  Dialed,
  Dialer,
  DialTarget,
  FlowRecord,
  StopSignal,
} from '@hawser/core'
import { publicEgress } from '@hawser/policy'
import { CapturedLog, memoryPair } from '@hawser/testkit'
import { UpstreamPool } from '../http/upstream-pool.ts'
import { TlsClient } from '../tls/tls-client.ts'
import { FlowContext } from './context.ts'
import type { ConnectCall, FlowBinding, FlowServices } from './context.ts'
import { FailureMemory } from './failure-memory.ts'
import { identify } from './identify.ts'
import { InvocationLimiter } from './invocation-limiter.ts'
import { FlowRecorder } from './record.ts'
import { Upgrades } from './upgrades.ts'

/** A CONNECT whose answer is kept. */
export class FakeCall implements ConnectCall {
  readonly kind = 'connect'
  readonly host: string
  readonly port: number
  readonly callId: string | undefined
  operation: AuthorityOperation = 'c'
  onGone: ((reason: HawserError) => void) | undefined
  refused: HawserError | undefined
  accepted = false
  /** The Worker's end of the connection. */
  readonly worker: Duplex
  readonly #edgeSide: Duplex

  constructor(host: string, port: number, callId?: string) {
    this.host = host
    this.port = port
    this.callId = callId
    ;[this.worker, this.#edgeSide] = memoryPair()
    this.worker.on('error', () => {})
  }

  accept(): Duplex {
    this.accepted = true
    return this.#edgeSide
  }

  refuse(error: HawserError): void {
    this.refused = error
  }
}

/** Dials into memory, or fails as it was told to. */
export class FakeDialer implements Dialer {
  readonly connector = { id: 'connector-1' }
  readonly targets: DialTarget[] = []
  /** Far ends of what was dialled. */
  readonly ends: Duplex[] = []
  /** Near ends: what was handed out. */
  readonly streams: Duplex[] = []
  failure: Error | undefined
  /** Dials wait for this. */
  gate: Promise<void> = Promise.resolve()

  async dial(target: DialTarget, signal: StopSignal): Promise<Dialed> {
    this.targets.push(target)
    await Promise.race([
      this.gate,
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ])
    if (this.failure !== undefined) throw this.failure
    const [near, far] = memoryPair()
    far.on('error', () => {})
    this.ends.push(far)
    this.streams.push(near)
    return { stream: near, remoteAddress: '10.0.0.9:5432', connectorId: this.connector.id }
  }
}

export interface FakeFlow {
  readonly context: FlowContext
  readonly flow: FlowRecord
  readonly call: FakeCall
  readonly binding: FlowBinding
  readonly services: FlowServices
  readonly dialer: FakeDialer
  readonly log: CapturedLog
  readonly ended: FlowRecord[]
}

export const TUNNEL: BindingNetwork = { kind: 'tunnel', tunnelId: 't1' }
export const PUBLIC: BindingNetwork = { kind: 'public' }

export interface FakeFlowOptions {
  readonly network?: BindingNetwork
  readonly identity?: Partial<BindingIdentity>
  readonly services?: Partial<FlowServices>
  readonly call?: FakeCall
}

/** A flow just identified, of `call` or of a CONNECT to `db.internal:5432`. */
export function fakeFlow(options: FakeFlowOptions = {}): FakeFlow {
  const dialer = new FakeDialer()
  const log = new CapturedLog()
  const ended: FlowRecord[] = []
  const services: FlowServices = {
    logger: log,
    egress: publicEgress({ ownListeners: () => [{ host: '127.0.0.1', port: 4444 }] }),
    resolve: () => Promise.resolve(['93.184.216.34']),
    tunnels: {
      pick: (_tunnelId, except) => (except?.has(dialer) === true ? undefined : dialer),
      explain: () => Promise.resolve(new HawserError('destination_unavailable', 'none')),
    },
    directDialer: () => dialer,
    trust: createSecureContext(),
    invocations: new InvocationLimiter(),
    recorder: new FlowRecorder(log, (flow) => ended.push(flow)),
    limits: { maxOpenFlows: 2, resolveTimeoutMs: 1_000, dialTimeoutMs: 1_000, handshakeTimeoutMs: 1_000 },
    ...options.services,
  }
  const identity: BindingIdentity = {
    worker: 'shop',
    binding: 'DB',
    network: options.network ?? TUNNEL,
    ...options.identity,
  }
  const binding: FlowBinding = {
    identity,
    pool: new UpstreamPool(),
    failures: new FailureMemory(),
    tls: new TlsClient({ rules: identity.tls, trust: services.trust }),
    upgrades: new Upgrades(() => {}),
    open: new Set(),
  }
  const call = options.call ?? new FakeCall('db.internal', 5432)
  const flow = identify(identity, call, 1_700_000_000_000)
  const context = new FlowContext(services, binding, call, flow)
  return { context, flow, call, binding, services, dialer, log, ended }
}

/** For `assert.throws` and `assert.rejects`. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => HawserError.is(error) && error.code === code
}
