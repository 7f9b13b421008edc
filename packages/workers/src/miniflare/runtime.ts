import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { CoreHeaders, Miniflare } from 'miniflare'
import type { MiniflareOptions } from 'miniflare'
import { miniflareOptions } from './options.ts'
import type { RuntimeParts } from './options.ts'
import { RuntimeLog } from './runtime-log.ts'
import { withoutExitHooks } from './signals.ts'
import { chooseWorkerd } from './workerd.ts'

/** A workerd that serves one Worker. */
export interface Runtime extends AsyncDisposable {
  /** Where the Worker answers, as was asked for and without a path: `http://127.0.0.1:8787`. */
  readonly url: string
  /** Where DevTools may attach; undefined unless asked for. */
  readonly inspectorUrl: string | undefined
  /** As `RunningWorker.fetch`. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Settles, with what workerd said last, when it ends by itself. Never after {@link close}. */
  readonly ended: Promise<HawserError>
  /** Resolves once it answers. Called once; {@link startRuntime} has done so. */
  start(): Promise<void>
  /**
   * Serves something else, on the same address and with the same storage: what requests were under way end. Should it not
   * start, what was served before is served again.
   *
   * @throws {HawserError} as {@link startRuntime}
   */
  update(parts: RuntimeParts): Promise<void>
  /** Ends workerd. Idempotent. */
  close(): Promise<void>
}

/**
 * Any URL is meant for the Worker; where it names another host, Miniflare is told of it, for `fetch()` cannot set Host.
 *
 * @param local where the Worker answers on this machine, whatever address it has for others
 */
function fetchFrom(local: string, wanted: URL, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  if (wanted.origin !== local) headers.set(CoreHeaders.ORIGINAL_URL, wanted.href)
  return fetch(`${local}${wanted.pathname}${wanted.search}`, { ...init, headers })
}

/** Of these Miniflare tells the address itself; for any other it opens a port on loopback beside, and tells that. */
const KNOWN_HOSTS = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'])

/** Where others reach the Worker. With a free port on an address of its own only `local` is known. */
function publicUrl(listen: HostPort, local: string): string {
  return KNOWN_HOSTS.has(listen.host) || listen.port === 0 ? local : `http://${formatHostPort(listen)}`
}

/** How workerd, and after it Miniflare, says that the address is taken. */
const ADDRESS_IN_USE = 'Address already in use'

function startFailure(error: unknown, complaints: string, { config, listen }: RuntimeParts): HawserError {
  if (HawserError.is(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  if (message.includes(ADDRESS_IN_USE) || complaints.includes(ADDRESS_IN_USE)) {
    return new HawserError('listen_failed', `${listen.host}:${listen.port}: address already in use`, { cause: error })
  }
  const reason = complaints === '' ? message : complaints
  return new HawserError('runtime_failed', `${config.name}: the Worker did not start\n${reason}`, { cause: error })
}

/** One Miniflare, and what it runs now. */
class MiniflareRuntime implements Runtime {
  readonly ended: Promise<HawserError>
  /** Miniflare's entry, for this process. */
  #local = ''
  #url = ''
  #inspectorUrl: string | undefined
  readonly #miniflare: Miniflare
  readonly #settleEnded: (error: HawserError) => void
  /** Counts the times that workerd was started on purpose; the end of an earlier one says nothing. */
  #generation = 0
  /** What ends before it has answered is a failure to start, and told as that. */
  #isUp = false
  #died = false
  #parts: RuntimeParts
  #log: RuntimeLog
  #closing: Promise<void> | undefined

  constructor(parts: RuntimeParts) {
    const { promise, resolve } = Promise.withResolvers<HawserError>()
    this.ended = promise
    this.#settleEnded = resolve
    this.#parts = parts
    this.#log = logOf(parts)
    const options = this.#options(parts, this.#log)
    this.#miniflare = withoutExitHooks(() => new Miniflare(options))
  }

  get url(): string {
    return this.#url
  }

  get inspectorUrl(): string | undefined {
    return this.#inspectorUrl
  }

  /** @throws {HawserError} see {@link startRuntime} */
  async start(): Promise<void> {
    try {
      await this.#locate()
      this.#up()
    } catch (error) {
      // Disposing releases everything, and then repeats the failure to start.
      await this.close().catch(() => {})
      throw startFailure(error, this.#log.complaints, this.#parts)
    }
  }

  async update(parts: RuntimeParts): Promise<void> {
    const before = this.#parts
    try {
      await this.#run(parts)
    } catch (error) {
      if (this.#closing !== undefined) throw error
      await this.#run(before)
      throw error
    }
  }

  fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
    return fetchFrom(this.#local, new URL(input, this.url), init)
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#miniflare.dispose())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(parts: RuntimeParts): Promise<void> {
    const log = logOf(parts)
    this.#generation += 1
    this.#isUp = false
    this.#died = false
    this.#parts = parts
    this.#log = log
    try {
      await this.#miniflare.setOptions(this.#options(parts, log))
      await this.#locate()
      this.#up()
    } catch (error) {
      throw startFailure(error, log.complaints, parts)
    }
  }

  /** Miniflare starts workerd again when it has died, quietly and without what it held; here that is the end. */
  #options(parts: RuntimeParts, log: RuntimeLog): MiniflareOptions {
    const generation = this.#generation
    return miniflareOptions(parts, log, (end) => {
      const report = (): void => {
        if (this.#closing !== undefined || generation !== this.#generation) return
        this.#died = true
        if (this.#isUp) this.#reportEnd()
      }
      end.then(report, report)
    })
  }

  async #locate(): Promise<void> {
    this.#local = (await this.#miniflare.ready).origin
    const { dev, listen } = this.#parts
    this.#url = dev === undefined ? await this.#ownUrl() : publicUrl(listen, this.#local)
    if (this.#parts.dev?.inspectorPort === undefined) return
    const { host } = await this.#miniflare.getInspectorURL()
    this.#inspectorUrl = `ws://${host}`
  }

  /** Where the Worker itself answers, without Miniflare's entry before it. */
  async #ownUrl(): Promise<string> {
    return (await this.#miniflare.unsafeGetDirectURL()).origin
  }

  #up(): void {
    this.#isUp = true
    if (this.#died) this.#reportEnd()
  }

  #reportEnd(): void {
    const message = `${this.#parts.config.name}: workerd ended by itself\n${this.#log.complaints}`.trimEnd()
    this.#settleEnded(new HawserError('runtime_failed', message))
  }
}

/** workerd does not say which of its Workers speaks; positions tell, for each knows its own files. */
function logOf({ logger, config, bundle, others = [] }: RuntimeParts): RuntimeLog {
  const maps = [bundle, ...others.map((other) => other.bundle)].map(({ mapStack }) => mapStack)
  const mapAll = (stack: string): string => maps.reduce((text, map) => map(text), stack)
  return new RuntimeLog(logger.child({ worker: config.name }), mapAll)
}

/**
 * Starts workerd through Miniflare; resolves once it answers on `listen`.
 *
 * @throws {HawserError} `listen_failed`, or `runtime_failed` with what workerd said
 */
export async function startRuntime(parts: RuntimeParts): Promise<Runtime> {
  const runtime = await createRuntime(parts)
  await runtime.start()
  return runtime
}

/**
 * The same for whoever may have to close it while it starts: workerd runs already, and `start()` waits for it.
 *
 * @throws {HawserError} `runtime_failed` where there is no workerd
 */
export async function createRuntime(parts: RuntimeParts): Promise<Runtime> {
  await chooseWorkerd()
  return new MiniflareRuntime(parts)
}
