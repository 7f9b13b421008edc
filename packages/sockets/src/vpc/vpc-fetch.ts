import type { EdgeDispatcher } from './edge-dispatcher.ts'
import { proxyError } from './proxy-error.ts'
import type { ProxyError } from './proxy-error.ts'

/** The options of `fetch()`. */
export interface VpcRequestInit extends RequestInit {
  /** Milliseconds until the head of the answer, redirects included. @default no limit */
  readonly timeoutMs?: number | undefined
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** Node's `fetch()`, its requests sent by `dispatcher`. */
export async function vpcFetch(
  dispatcher: EdgeDispatcher,
  input: string | URL | Request,
  init: VpcRequestInit = {},
): Promise<Response> {
  const { timeoutMs, ...rest } = init
  const given = { ...(rest.body instanceof ReadableStream ? { duplex: 'half' } : {}), ...rest }
  const request = new Request(input, given as RequestInit)
  if (!/^https?:/.test(request.url)) throw new TypeError(`fetch(): expected an http: or https: URL, got ${request.url}`)
  using limit = timeoutMs === undefined ? undefined : new TimeLimit(timeoutMs)
  const signal = limit === undefined ? request.signal : AbortSignal.any([request.signal, limit.signal])
  try {
    return await fetch(request, { dispatcher, signal } as unknown as RequestInit)
  } catch (error) {
    // `fetch()` puts what went wrong behind a TypeError that says nothing.
    throw error instanceof TypeError && isProxyError(error.cause) ? error.cause : error
  }
}

class TimeLimit implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(timeoutMs: number) {
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
      throw new TypeError(`timeoutMs: expected a number from 1 to ${MAX_TIMEOUT_MS}, got ${String(timeoutMs)}`)
    }
    this.#timer = setTimeout(() => {
      const message = `no answer within ${timeoutMs} ms`
      this.#controller.abort(proxyError({ code: 'connection_timeout', message }))
    }, timeoutMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

function isProxyError(value: unknown): value is ProxyError {
  return value instanceof Error && value.message.startsWith('ProxyError: ') && 'code' in value
}
