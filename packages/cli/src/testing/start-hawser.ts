import { HawserError, silentLogger } from '@hawser/core'
import type { BindingHost } from '@hawser/core'
import { startLocalEdge } from '@hawser/edge/local'
import { startDevWorker } from '@hawser/workers'
import type { DevWorkerEvent } from '@hawser/workers'
import { eventLogger } from '../dev/event-logger.ts'
import type { DevEvent } from '../dev/events.ts'
import { readRelaxed } from '../dev/relaxed.ts'
import type { Flow, FlowFilter } from './flow.ts'
import { FlowLog } from './flow-log.ts'
import type { Hawser, HawserOptions, LogLine, ScheduledResult, TestNetwork, TestService } from './hawser.ts'
import { PrivateNetworks } from './private-networks.ts'
import { ServedServices } from './served-services.ts'
import { openStorage } from './storage.ts'
import { readTlsOptions } from './tls-options.ts'
import { fetchWorker, runScheduled } from './worker-requests.ts'

const KNOWN: readonly string[] = ['config', 'env', 'vars', 'egress', 'networks', 'services', 'tls', 'relaxed']
const LISTEN = { host: '127.0.0.1', port: 0 } as const
/** A test that logs without end must not fill the memory. */
const MAX_LOG_LINES = 10_000

/** @throws {HawserError} `options_invalid` */
function checkNames(options: HawserOptions): void {
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key))
  if (unknown === undefined) return
  throw new HawserError('options_invalid', `${unknown}: no such option; known are ${KNOWN.join(', ')}`)
}

/** Everything of one Worker under test. */
class RunningHawser implements Hawser {
  readonly #flows = new FlowLog()
  readonly #networks: PrivateNetworks
  readonly #owned = new AsyncDisposableStack()
  readonly #services: ServedServices
  readonly #logs: LogLine[] = []
  #url = ''
  #startFailure: HawserError | undefined
  #closing: Promise<void> | undefined

  constructor(options: HawserOptions) {
    this.#networks = new PrivateNetworks(options, this.#flows.opened)
    this.#services = new ServedServices(this.#networks)
  }

  get url(): string {
    return this.#url
  }

  /** @throws {HawserError} see {@link startHawser} */
  async start(options: HawserOptions): Promise<void> {
    checkNames(options)
    const { config, env, vars } = options
    const relaxed = readRelaxed(options.relaxed ?? [], 'relaxed')
    const tls = readTlsOptions(options.tls ?? [])
    const logger = eventLogger(this.#logged, silentLogger)
    const networks = this.#networks
    const storage = this.#owned.use(await openStorage())
    const edge = this.#owned.use(
      await startLocalEdge({
        logger: logger.child({ source: 'edge' }),
        onFlow: this.#flows.ended,
        resolver: networks,
        relaxed: [...relaxed].filter((rule) => rule !== 'connections'),
      }),
    )
    const host: BindingHost = {
      openBinding: (identity) =>
        edge.openBinding({ ...networks.identityOf(identity), tls: [...tls, ...(identity.tls ?? [])] }),
    }
    const worker = this.#owned.use(
      await startDevWorker(
        {
          configPath: config,
          environment: env,
          vars,
          connectionLimit: relaxed.has('connections') ? 0 : undefined,
          host,
          logger,
          place: () => ({ listen: LISTEN, persistTo: storage.folder }),
          onListen: (address) => void edge.registerListener(address),
          onConfig: (read) => networks.use(read),
          onEvent: this.#happened,
          watch: false,
        },
        new AbortController().signal,
      ),
    )
    if (this.#startFailure !== undefined) throw this.#startFailure
    worker.failed.catch(this.#services.failed)
  }

  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchWorker(this.#url, input, init)
  }

  scheduled(cron: string, time?: Date): Promise<ScheduledResult> {
    return runScheduled(this.#url, cron, time)
  }

  flows(filter?: FlowFilter): Promise<readonly Flow[]> {
    return this.#flows.flows(filter)
  }

  flow(filter?: FlowFilter): Promise<Flow> {
    return this.#flows.flow(filter)
  }

  logs(): readonly LogLine[] {
    return [...this.#logs]
  }

  get egress(): TestNetwork {
    return { serve: (target, handler, how) => this.#services.serve(undefined, target, handler, how) }
  }

  network(binding: string): TestNetwork {
    this.#networks.check('networks', binding)
    return { serve: (target, handler, how) => this.#services.serve(binding, target, handler, how) }
  }

  service(binding: string): TestService {
    this.#networks.check('services', binding)
    return { serve: (handler, how) => this.#services.serve(binding, undefined, handler, how) }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#services.close(() => this.#owned.disposeAsync())
    this.#services.throwFailures()
  }

  readonly #logged = (event: DevEvent): void => {
    if (event.event !== 'log' || this.#logs.length >= MAX_LOG_LINES) return
    const { level, source, message } = event
    this.#logs.push({ level, source, message })
  }

  readonly #happened = (event: DevWorkerEvent): void => {
    if (event.event === 'ready') this.#url = event.url
    if (event.event !== 'failed') return
    if (this.#url === '') this.#startFailure = event.error
    else this.#services.failed(event.error)
  }
}

/**
 * Starts a Worker for a test, on a workerd of its own and a free port, with private networks that the test serves. Storage is
 * the test's own and goes with it.
 *
 * @throws {HawserError} `config_invalid`, `options_invalid`, `bundle_failed`, `runtime_failed`; nothing is left behind
 */
export async function startHawser(options: HawserOptions): Promise<Hawser> {
  const hawser = new RunningHawser(options)
  try {
    await hawser.start(options)
    return hawser
  } catch (error) {
    await hawser.close().catch(() => {}) // the first reason counts
    throw error
  }
}
