import { HawserError } from '@hawser/core'
import { CoreHeaders, Miniflare } from 'miniflare'
import { miniflareOptions } from './options.ts'
import type { RuntimeParts } from './options.ts'
import { RuntimeLog } from './runtime-log.ts'
import { withoutExitHooks } from './signals.ts'
import { chooseWorkerd } from './workerd.ts'

/** A workerd that serves one Worker. */
export interface Runtime extends AsyncDisposable {
  /** Where the Worker answers, without a path: `http://127.0.0.1:8787`. */
  readonly url: string
  /** As `RunningWorker.fetch`. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Settles, with what workerd said last, when it ends by itself. Never after {@link close}. */
  readonly ended: Promise<HawserError>
  /** Ends workerd. Idempotent. */
  close(): Promise<void>
}

/** Any URL is meant for the Worker; where it names another host, Miniflare is told of it, for `fetch()` cannot set Host. */
function fetchFrom(url: string, input: string | URL, init: RequestInit): Promise<Response> {
  const wanted = new URL(input, url)
  const headers = new Headers(init.headers)
  if (wanted.origin !== url) headers.set(CoreHeaders.ORIGINAL_URL, wanted.href)
  return fetch(`${url}${wanted.pathname}${wanted.search}`, { ...init, headers })
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

/**
 * Starts workerd through Miniflare; resolves once it answers on `listen`.
 *
 * @throws {HawserError} `listen_failed`, or `runtime_failed` with what workerd said
 */
export async function startRuntime(parts: RuntimeParts): Promise<Runtime> {
  await chooseWorkerd()
  const log = new RuntimeLog(parts.logger.child({ worker: parts.config.name }), parts.bundle.mapStack)
  const ended = Promise.withResolvers<HawserError>()
  let closing: Promise<void> | undefined
  // Miniflare starts workerd again when it has died, quietly and without what it held; here that is the end.
  const onOutput = (end: Promise<void>): void => {
    const report = (): void => {
      if (closing !== undefined) return
      ended.resolve(
        new HawserError('runtime_failed', `${parts.config.name}: workerd ended by itself\n${log.complaints}`.trimEnd()),
      )
    }
    end.then(report, report)
  }
  const options = miniflareOptions(parts, log, onOutput)
  const miniflare = withoutExitHooks(() => new Miniflare(options))
  const close = (): Promise<void> => (closing ??= miniflare.dispose())
  try {
    const { origin: url } = await miniflare.ready
    const fetch: Runtime['fetch'] = (input, init = {}) => fetchFrom(url, input, init)
    return { url, fetch, ended: ended.promise, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    // Disposing releases everything, and then repeats the failure to start.
    await close().catch(() => {})
    throw startFailure(error, log.complaints, parts)
  }
}
