import { dirname, join } from 'node:path'
import type { BindingHost, FlowRecord, Logger } from '@hawser/core'
import { startLocalEdge } from '@hawser/edge/local'
import { startDevWorker } from '@hawser/workers'
import type { DevWorker, DevWorkerEvent, DevWorkerPlace, WorkerConfig } from '@hawser/workers'
import { adviceOnCrons, adviceOnFailure, adviceOnFlow, adviceOnQueue } from './advice.ts'
import type { Advice } from './advice.ts'
import { eventLogger } from './event-logger.ts'
import type { DevEvent } from './events.ts'
import type { RelaxedRule } from './relaxed.ts'
import type { UnknownTarget } from './stand-in-networks.ts'
import { WorkerNetworks } from './worker-networks.ts'

/** The flags of `hawser dev`, read. */
export interface DevOptions {
  readonly configPath: string
  /** Of Workers beside that one. */
  readonly otherConfigPaths: readonly string[]
  readonly environment: string | undefined
  /** Undefined for what the configuration says. */
  readonly host: string | undefined
  readonly port: number | undefined
  readonly inspectorPort: number | undefined
  readonly testScheduled: boolean
  readonly persistTo: string | undefined
  readonly relaxed: ReadonlySet<RelaxedRule>
  readonly emit: (event: DevEvent) => void
  /** For what is no event. */
  readonly logger: Logger
}

/** A Worker under development with all that stands behind it. Disposing ends it at once. */
export interface DevSession extends AsyncDisposable {
  /** Rejects if workerd ends by itself. */
  readonly failed: Promise<never>
}

const LOOPBACK = '127.0.0.1'
const DEFAULT_PORT = 8787
/** V-300. */
const CONNECTION_LIMIT = 6
/** Where wrangler keeps the same things, so that its other commands see them. */
const STATE = join('.wrangler', 'state', 'v3')

/** Says things to the developer: each advice once. */
class Narrator {
  #configs: readonly WorkerConfig[] = []
  readonly #emit: (event: DevEvent) => void
  readonly #said = new Set<string>()

  constructor({ emit }: DevOptions) {
    this.#emit = emit
  }

  readonly onFlow = (flow: FlowRecord): void => {
    const { id, binding, kind, requested, outcome = 'ok', error, bytesSent, bytesReceived, route, http, verdict } = flow
    this.#emit({
      event: 'flow',
      id,
      worker: this.#configs.length > 1 ? flow.worker : undefined,
      binding,
      kind,
      requested,
      remoteAddress: route?.remoteAddress,
      outcome,
      status: http?.status,
      code: error?.code,
      message: error?.message,
      rule: verdict?.rule,
      bytesSent,
      bytesReceived,
      ms: Date.now() - flow.startedAt,
    })
    this.#advise(binding, adviceOnFlow(flow, this.#configOf(flow.worker)))
  }

  readonly onQueued = (flow: FlowRecord): void => {
    const { connectionLimit = CONNECTION_LIMIT } = this.#configOf(flow.worker) ?? {}
    this.#advise(flow.binding, adviceOnQueue(flow, connectionLimit))
  }

  readonly onUnknown = ({ worker, binding, network, target }: UnknownTarget): void => {
    const service = this.#configOf(worker)?.services.find((entry) => entry.binding === binding)
    const id =
      network.kind === 'tunnel'
        ? `tunnel ${network.tunnelId}`
        : network.kind === 'network'
          ? `network ${network.networkId}`
          : ''
    const what = service === undefined ? id : `service ${service.serviceId}`
    const entry =
      service === undefined
        ? `{ "networks": { "${binding}": { "hosts": { "${target.host}": "127.0.0.1" } } } }`
        : `{ "services": { "${binding}": { "host": "127.0.0.1", "httpPort": ${target.port} } } }`
    this.#advise(binding, {
      rule: 'stand-in',
      key: `stand-in ${worker} ${binding}`,
      message: `${binding} (${what}) is served by this machine: ${target.host}:${target.port} is localhost:${target.port}.\nTo have it elsewhere: ${entry} in hawser.jsonc.`,
    })
  }

  readonly onWorker = (event: DevWorkerEvent): void => {
    if (event.event === 'request') return this.#emit(event)
    if (event.event === 'failed') {
      const { error, serving } = event
      const { code, message } = error
      return this.#emit({ event: 'error', code, message, serving, advice: adviceOnFailure(error) })
    }
    const ms = Math.round(event.ms)
    this.#emit({ ...event, ms })
    const [config] = this.#configs
    return this.#advise('', adviceOnCrons(event.url, config?.wrangler.triggers.crons ?? []))
  }

  use(configs: readonly WorkerConfig[]): void {
    this.#configs = configs
  }

  #configOf(worker: string): WorkerConfig | undefined {
    return this.#configs.find(({ name }) => name === worker)
  }

  #advise(binding: string, advice: Advice | undefined): void {
    if (advice === undefined || this.#said.has(advice.key)) return
    this.#said.add(advice.key)
    const { rule, message } = advice
    this.#emit({ event: 'advice', rule, binding, message })
  }
}

/** Where the Worker answers, and where its storage is: the flags, then the configuration, then what wrangler does. */
function placeOf(options: DevOptions, config: WorkerConfig): DevWorkerPlace {
  const { dev } = config.wrangler
  const host = options.host ?? (dev.ip === 'localhost' ? LOOPBACK : dev.ip)
  const asked = options.port ?? dev.port
  return {
    listen: { host, port: asked ?? DEFAULT_PORT },
    anyPort: asked === undefined,
    persistTo: options.persistTo ?? join(dirname(config.path), STATE),
  }
}

/**
 * Serves the Worker until the session is disposed of.
 *
 * @param signal ends a start that is under way
 * @throws {HawserError} `config_invalid`, `listen_failed`; everything opened is closed again
 */
export async function startDevSession(options: DevOptions, signal: AbortSignal): Promise<DevSession> {
  await using opening = new AsyncDisposableStack()
  const logger = eventLogger(options.emit, options.logger)
  const narrator = new Narrator(options)
  const networks = new WorkerNetworks(narrator.onUnknown)
  const edge = opening.use(
    await startLocalEdge({
      logger: logger.child({ source: 'edge' }),
      onFlow: narrator.onFlow,
      onQueued: narrator.onQueued,
      resolver: networks,
      relaxed: [...options.relaxed].filter((rule) => rule !== 'connections'),
    }),
  )
  const host: BindingHost = { openBinding: (identity) => edge.openBinding(networks.identityOf(identity)) }
  const worker: DevWorker = opening.use(
    await startDevWorker(
      {
        configPath: options.configPath,
        otherConfigPaths: options.otherConfigPaths,
        environment: options.environment,
        connectionLimit: options.relaxed.has('connections') ? 0 : undefined,
        inspectorPort: options.inspectorPort,
        testScheduled: options.testScheduled,
        host,
        logger,
        place: (config) => placeOf(options, config),
        onListen: (address) => void edge.registerListener(address),
        onConfig: (_config, all) => {
          networks.use(all)
          narrator.use(all)
        },
        onEvent: narrator.onWorker,
      },
      signal,
    ),
  )
  const owned = opening.move()
  return { failed: worker.failed, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
