import type { BindingHost, HawserError, HostPort, Logger } from '@hawser/core'
import { bundleWorker } from './bundle/bundle.ts'
import type { WorkerBundle } from './bundle/bundle.ts'
import { runCustomBuild } from './bundle/custom-build.ts'
import { readWorkerConfig } from './config.ts'
import type { WorkerConfig } from './config.ts'
import type { Runtime } from './miniflare/runtime.ts'
import { compatibilityDate } from './miniflare/workerd.ts'
import { openDoors } from './open-doors.ts'
import { runtimeModules } from './runtime-modules.ts'
import { storageFolder } from './storage-folder.ts'

export interface RunWorkerOptions {
  /** A wrangler configuration file, or the folder it is in. */
  readonly configPath: string
  /** A name under `env` of the configuration. */
  readonly environment?: string | undefined
  /** Variables set for this run only; they win over those of the configuration. */
  readonly vars?: Readonly<Record<string, string>> | undefined
  /** The edge that the Worker's calls go to. */
  readonly host: BindingHost
  /** @default a free port of 127.0.0.1 */
  readonly listen?: HostPort | undefined
  readonly logger: Logger
  /** Folder that keeps what the Worker stores in simulated bindings. @default a temporary one */
  readonly persistTo?: string | undefined
}

/** A Worker that is serving. */
export interface RunningWorker extends AsyncDisposable {
  readonly name: string
  /** `http://127.0.0.1:8787`, without a path. */
  readonly url: string
  /** Absolute paths of every file the Worker was made from. */
  readonly inputs: readonly string[]
  /** As the global `fetch()`; relative URLs are meant for the Worker, and so is any other host. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Ends workerd at once and releases everything. Idempotent. */
  close(): Promise<void>
  /** Resolves after {@link close}; rejects with `runtime_failed`, everything released, if workerd ends by itself. */
  readonly closed: Promise<void>
}

const DEFAULT_LISTEN: HostPort = { host: '127.0.0.1', port: 0 }

/** Owns everything that was opened for one Worker. */
class Running implements RunningWorker {
  readonly name: string
  readonly url: string
  readonly inputs: readonly string[]
  readonly closed: Promise<void>
  readonly #runtime: Runtime
  readonly #owned: AsyncDisposableStack
  readonly #settled: PromiseWithResolvers<void> = Promise.withResolvers()
  #closing: Promise<void> | undefined

  constructor(config: WorkerConfig, bundle: WorkerBundle, runtime: Runtime, owned: AsyncDisposableStack) {
    this.name = config.name
    this.url = runtime.url
    this.inputs = [...config.files, ...bundle.inputs]
    this.#runtime = runtime
    this.#owned = owned
    this.closed = this.#settled.promise
    // Nobody need listen: a Worker that ended is also noticed by the next fetch().
    this.closed.catch(() => {})
    void runtime.ended.then((error) => this.#end(error))
  }

  fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    return this.#runtime.fetch(input, init)
  }

  close(): Promise<void> {
    return this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }

  /** Both ways to end meet here: the first decides how `closed` settles. */
  #end(error?: HawserError): Promise<void> {
    return (this.#closing ??= this.#release(error))
  }

  async #release(error: HawserError | undefined): Promise<void> {
    // Settled last, so that whoever waits for `closed` finds nothing left open.
    try {
      await this.#owned.disposeAsync()
    } finally {
      if (error === undefined) this.#settled.resolve()
      else this.#settled.reject(error)
    }
  }
}

/**
 * Runs a Worker from its wrangler configuration on workerd, with every call that leaves it going to `host`. Resolves once
 * the Worker answers; whatever was opened is closed again if it never does.
 *
 * @throws {HawserError} `config_invalid`, `bundle_failed`, `listen_failed`, `runtime_failed`, or what `host` throws
 */
export async function runWorker(options: RunWorkerOptions): Promise<RunningWorker> {
  const { host, logger, listen = DEFAULT_LISTEN } = options
  await using opening = new AsyncDisposableStack()
  // Miniflare takes a quarter of a second to load: not before it is needed, and while esbuild, a process, works.
  const scripts = runtimeModules()
  const loading = import('./miniflare/runtime.ts')
  scripts.catch(() => {}) // awaited below, unless something else fails first
  const config = await readWorkerConfig(options)
  await runCustomBuild(config, logger)
  const date = compatibilityDate(config.wrangler.compatibility_date, logger)
  const [bundle, runtime, { startRuntime }] = await Promise.all([bundleWorker(config, date, logger), scripts, loading])
  const storage = await storageFolder(options.persistTo, opening)
  const { bindings, egress } = opening.use(await openDoors(config, host))
  const parts = { config, compatibilityDate: date, bundle, runtime, bindings, egress, listen, storage, logger }
  const started = opening.use(await startRuntime(parts))
  return new Running(config, bundle, started, opening.move())
}
