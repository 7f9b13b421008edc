import { stat } from 'node:fs/promises'
import { formatHostPort, HawserError } from '@hawser/core'
import type { BindingHost, HostPort } from '@hawser/core'
import type { WorkerConfig } from '../config.ts'
import type { RuntimeParts } from '../miniflare/options.ts'
import type { Runtime } from '../miniflare/runtime.ts'
import { runtimeModules } from '../runtime-modules.ts'
import { storageFolder } from '../storage-folder.ts'
import { Gate } from './gate.ts'
import { ProjectGroup } from './project-group.ts'
import type { GroupBundle, GroupSource } from './project-group.ts'
import type { EndedRequest } from './request-watch.ts'
import { PACKAGES, SourceWatcher } from './source-watcher.ts'

/** What happens to a Worker under development. */
export type DevWorkerEvent =
  | {
      readonly event: 'ready'
      readonly url: string
      readonly ms: number
      /** Where DevTools may attach. */
      readonly inspector: string | undefined
    }
  /** Served anew, on the same address and with the same storage. */
  | { readonly event: 'reload'; readonly url: string; readonly ms: number; readonly changed: readonly string[] }
  /** `serving`: whether the version before it still answers. */
  | { readonly event: 'failed'; readonly error: HawserError; readonly serving: boolean }
  | ({ readonly event: 'request' } & EndedRequest)

/** What stays the same however often the Worker is served anew. */
export interface DevWorkerPlace {
  readonly listen: HostPort
  /** Whether any other port will do if that one is taken. @default false */
  readonly anyPort?: boolean | undefined
  /** Folder that keeps what the Worker stores in simulated bindings. @default a temporary one */
  readonly persistTo?: string | undefined
}

export interface DevWorkerOptions extends GroupSource {
  /** The edge that the Worker's calls go to. */
  readonly host: BindingHost
  /** Asked once, with the first configuration. */
  readonly place: (config: WorkerConfig) => DevWorkerPlace | Promise<DevWorkerPlace>
  /** Of 127.0.0.1, for DevTools. @default none */
  readonly inspectorPort?: number | undefined
  /** Whether `/__scheduled` runs a cron trigger. @default false */
  readonly testScheduled?: boolean | undefined
  /** Told of each configuration before anything is served with it, and of those of the Workers beside it. */
  readonly onConfig: (config: WorkerConfig, all: readonly WorkerConfig[]) => void
  /** Told once where the Worker will answer. */
  readonly onListen: (address: HostPort) => void | Promise<void>
  readonly onEvent: (event: DevWorkerEvent) => void
  /** Whether changes of its files are looked for. @default true */
  readonly watch?: boolean | undefined
}

/** A Worker that is served anew whenever a file of it changes. */
export interface DevWorker extends AsyncDisposable {
  /** Ends workerd at once and releases everything. Idempotent. */
  close(): Promise<void>
  /** Rejects if workerd ends by itself; never settles otherwise. */
  readonly failed: Promise<never>
}

/** Of workerd itself, behind the gate. */
const INNER: HostPort = { host: '127.0.0.1', port: 0 }

async function openGate(
  { listen, anyPort = false }: Omit<DevWorkerPlace, 'persistTo'>,
  onRequest: (request: EndedRequest) => void,
): Promise<Gate> {
  try {
    return await Gate.open(listen, onRequest)
  } catch (error) {
    if (!anyPort) throw error
    return Gate.open({ ...listen, port: 0 }, onRequest)
  }
}

/** Miniflare would end the process over a port that is taken. */
async function checkInspector(port: number | undefined): Promise<void> {
  if (port === undefined || port === 0) return
  const probe = await Gate.open({ host: INNER.host, port }).catch((error: unknown) => {
    const message = `inspector: ${error instanceof Error ? error.message : String(error)}`
    throw new HawserError('listen_failed', message, { cause: error })
  })
  await probe.close()
}

/** When each was written last; undefined for what is not there. Compared with each other only, never with a clock. */
async function timesOf(files: Iterable<string>): Promise<Map<string, number | undefined>> {
  const sources = [...files].filter((file) => !file.includes(PACKAGES))
  const found = await Promise.all(sources.map((file) => stat(file).catch(() => {})))
  return new Map(sources.map((file, at) => [file, found[at]?.mtimeMs]))
}

/** As one would type it on this machine. */
function urlOf({ host, port }: HostPort): string {
  const isWildcard = host === '0.0.0.0' || host === '::'
  return `http://${formatHostPort({ host: isWildcard ? '127.0.0.1' : host, port })}`
}

class WatchedWorker implements DevWorker {
  readonly failed: Promise<never>
  readonly #fail: (error: HawserError) => void
  readonly #options: DevWorkerOptions
  readonly #stopping = new AbortController()
  readonly #watcher: SourceWatcher
  readonly #owned = new AsyncDisposableStack()
  #storage: string | undefined
  #gate: Gate | undefined
  #project: ProjectGroup | undefined
  #bundle: GroupBundle | undefined
  #inputs: readonly string[] = []
  #runtime: Runtime | undefined
  readonly #seen = new Map<string, number | undefined>()
  #isServing = false
  #hasFailed = false
  /** What has changed since the build under way began; undefined where none is under way. */
  #pending: Set<string> | undefined
  #running: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: DevWorkerOptions) {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => {}) // nobody has to listen
    this.failed = promise
    this.#fail = reject
    this.#options = options
    this.#watcher = this.#owned.use(new SourceWatcher((files) => this.#changed(files)))
  }

  /** @throws {HawserError} for a configuration or an address that cannot be used; a failed build is an event */
  async start(): Promise<void> {
    // Both take their time, and neither needs to know the Worker.
    void import('../miniflare/runtime.ts').catch(() => {})
    runtimeModules().catch(() => {})
    await this.#settle()
    this.#running = this.#refresh([], performance.now())
    await this.#running
    if (this.#options.watch !== false) await this.#catchUp()
  }

  /** Finds out where the Worker will answer and keep its storage, and opens both: for itself until it is sure to go on. */
  async #settle(): Promise<void> {
    await using opening = new AsyncDisposableStack()
    const { signal } = this.#stopping
    this.#project = await this.#read()
    signal.throwIfAborted()
    await checkInspector(this.#options.inspectorPort)
    const { persistTo, ...place } = await this.#options.place(this.#project.config)
    const onRequest = (request: EndedRequest): void => this.#options.onEvent({ event: 'request', ...request })
    const gate = opening.use(await openGate(place, onRequest))
    await this.#options.onListen(gate.address)
    const storage = await storageFolder(persistTo, opening)
    await this.#note(this.#project.files)
    signal.throwIfAborted()
    this.#owned.use(opening.move())
    this.#gate = gate
    this.#storage = storage
  }

  /** What files were like when they were read: nothing is watched until the first version runs. */
  async #note(files: readonly string[]): Promise<void> {
    for (const [file, time] of await timesOf(files)) this.#seen.set(file, time)
  }

  async #catchUp(): Promise<void> {
    const now = await timesOf(this.#seen.keys())
    const changed = [...this.#seen].filter(([file, time]) => now.get(file) !== time).map(([file]) => file)
    this.#seen.clear()
    if (changed.length > 0) this.#changed(changed)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new HawserError('connection_aborted', 'stopped before it had started'))
    await using _owned = this.#owned
    this.#watcher[Symbol.dispose]()
    await this.#runtime?.close().catch(() => {})
    await this.#running.catch(() => {})
    await this.#runtime?.close().catch(() => {}) // one that was still being made
    await this.#project?.[Symbol.asyncDispose]()
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #read(): Promise<ProjectGroup> {
    const project = await ProjectGroup.read(this.#options)
    this.#options.onConfig(project.config, project.configs)
    return project
  }

  #changed(files: readonly string[]): void {
    if (this.#stopped) return
    if (this.#pending !== undefined) {
      for (const file of files) this.#pending.add(file)
      return
    }
    this.#running = this.#refreshAll(files)
  }

  /** Until nothing has changed while the last one was built. */
  async #refreshAll(files: readonly string[]): Promise<void> {
    for (let changed = files; changed.length > 0 && !this.#stopped; changed = [...(this.#pending ?? [])]) {
      this.#pending = new Set()
      await this.#refresh(changed, performance.now()).catch((error: unknown) => {
        this.#failedTo(HawserError.from(error, 'proxy_internal_error'))
      })
    }
    this.#pending = undefined
  }

  async #refresh(changed: readonly string[], startedAt: number): Promise<void> {
    const before = this.#project
    if (before === undefined) return
    let project = before
    let failure: HawserError | undefined
    try {
      if (changed.some((file) => before.isConfiguration(file))) project = await this.#read()
      const isNew = await this.#serve(project, changed, project !== before)
      if (isNew && !this.#stopped) this.#served(changed, startedAt)
    } catch (error) {
      failure = HawserError.from(error, 'runtime_failed')
      if (project !== before) {
        await project[Symbol.asyncDispose]()
        this.#options.onConfig(before.config, before.configs)
        project = before
      }
      if (failure.code === 'listen_failed') throw failure
    }
    this.#project = project
    if (project !== before) await before[Symbol.asyncDispose]()
    if (!this.#stopped && this.#options.watch !== false) this.#watcher.watch(project.watched(this.#inputs, failure))
    if (failure !== undefined) this.#failedTo(failure)
  }

  /** @returns false where nothing that is served has changed */
  async #serve(project: ProjectGroup, changed: readonly string[], isOther: boolean): Promise<boolean> {
    const { signal } = this.#stopping
    const bundle = await project.build(changed, signal)
    this.#inputs = bundle.inputs
    if (!this.#isServing) await this.#note(bundle.inputs)
    const isBundled = (file: string): boolean => bundle.inputs.includes(file)
    const isSameBundle = bundle.isSame(this.#bundle)
    // What failed and is as it was before needs no new start, but a word.
    if (this.#isServing && !isOther && isSameBundle && changed.every(isBundled)) return this.#hasFailed
    const workers = await project.parts(bundle, this.#options.host)
    const [runtime, { createRuntime }] = await Promise.all([runtimeModules(), import('../miniflare/runtime.ts')])
    const storage = this.#storage
    if (this.#stopped || storage === undefined) return false
    await this.#run({ ...this.#common(storage), ...workers, runtime }, createRuntime)
    this.#bundle = bundle
    return true
  }

  async #run(parts: RuntimeParts, createRuntime: (parts: RuntimeParts) => Promise<Runtime>): Promise<void> {
    if (this.#runtime === undefined) return this.#start(await createRuntime(parts))
    this.#gate?.hold()
    try {
      await this.#runtime.update(parts)
    } finally {
      this.#pass(this.#runtime)
    }
  }

  async #start(runtime: Runtime): Promise<void> {
    this.#runtime = runtime
    if (this.#stopped) return runtime.close()
    try {
      await runtime.start()
    } catch (error) {
      this.#runtime = undefined
      throw error
    }
    void runtime.ended.then((error) => this.#fail(error))
    this.#pass(runtime)
  }

  /** To what runs now, be it the new version or, where that did not start, the one before. */
  #pass({ url }: Runtime): void {
    this.#gate?.pass({ host: INNER.host, port: Number(new URL(url).port) })
  }

  #common(storage: string): Pick<RuntimeParts, 'listen' | 'storage' | 'logger' | 'dev'> {
    const { logger, inspectorPort, testScheduled = false } = this.#options
    return { listen: INNER, storage, logger, dev: { inspectorPort, testScheduled } }
  }

  #served(changed: readonly string[], startedAt: number): void {
    const url = this.#gate === undefined ? '' : urlOf(this.#gate.address)
    const ms = performance.now() - startedAt
    this.#hasFailed = false
    const inspector = this.#runtime?.inspectorUrl
    this.#options.onEvent(
      this.#isServing ? { event: 'reload', url, ms, changed } : { event: 'ready', url, ms, inspector },
    )
    this.#isServing = true
  }

  #failedTo(error: HawserError): void {
    if (this.#stopped) return
    if (!this.#isServing) this.#gate?.refuse(error.message)
    this.#hasFailed = true
    this.#options.onEvent({ event: 'failed', error, serving: this.#isServing })
  }
}

/**
 * Serves a Worker from its wrangler configuration on workerd, and again whenever one of its files changes. Resolves once it
 * answers, or once its first build has failed and a change is waited for.
 *
 * @param signal ends a start that is under way
 * @throws {HawserError} `config_invalid`, `listen_failed`; everything opened is closed again
 */
export async function startDevWorker(options: DevWorkerOptions, signal: AbortSignal): Promise<DevWorker> {
  const worker = new WatchedWorker(options)
  const stop = (): void => void worker.close().catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    await worker.start()
    return worker
  } catch (error) {
    await worker.close()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
