import { HttpFraming, namedBody } from './http-framing.ts'
import type { Body } from './http-framing.ts'

/** `ok`: answered, whatever the status. `aborted`: given up by the client. `error`: the answer did not come, or not whole. */
export type RequestOutcome = 'ok' | 'aborted' | 'error'

/** A request that is over. */
export interface EndedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Undefined where there was no answer. */
  readonly status: number | undefined
  readonly outcome: RequestOutcome
  /** Milliseconds from its head to the last byte of the answer, or to whatever ended it. */
  readonly ms: number
}

interface Exchange {
  readonly method: string
  readonly path: string
  readonly startedAt: number
  status?: number
  /** Whether the answer lasts as long as the connection. */
  untilClose?: boolean
}

const REQUEST_LINE = /^([A-Z-]+) (\S+) HTTP\/1\.[01]\s*$/m
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})\b/
/** More requests than this are not sent ahead by anyone who reads the answers. */
const MAX_EXCHANGES = 1_000

/** The path of a request target: of one with a host, what follows it. */
function pathOf(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const end = path.search(/[?#]/)
  const cut = end < 0 ? path : path.slice(0, end)
  return cut === '' ? '/' : cut
}

/**
 * Sees the requests on one connection, from the bytes that pass: those that are answered, and those that never are, of which
 * the server itself could not tell. Each is reported once, when it is over.
 */
export class RequestWatch {
  readonly #report: (request: EndedRequest) => void
  readonly #requests: HttpFraming
  readonly #answers: HttpFraming
  readonly #open: Exchange[] = []
  /** Since when the first request may have been waiting, unread. */
  #since: number | undefined

  /** @param since `performance.now()` of when the connection came, if it had to wait */
  constructor(report: (request: EndedRequest) => void, since?: number) {
    this.#report = report
    this.#since = since
    this.#requests = new HttpFraming(
      (head) => this.#asked(head),
      () => {},
    )
    this.#answers = new HttpFraming(
      (head) => this.#answered(head),
      () => this.#complete(),
    )
  }

  /** Bytes of the client's. */
  received(data: Buffer): void {
    this.#requests.read(data)
  }

  /** Bytes of the answers. */
  sent(data: Buffer): void {
    this.#answers.read(data)
  }

  /** The answers have ended: one that has no other end is complete, all others are not. */
  answersEnded(): void {
    const [first] = this.#open
    if (first?.untilClose === true) this.#over('ok')
    this.#endAll('error')
  }

  /** The client has gone; an end of its side is one too, for no HTTP client ends its side and goes on to read. */
  clientGone(): void {
    this.#endAll('aborted')
  }

  /** All requests that come are answered with `status`, by somebody else. */
  refuse(status: number): void {
    for (const exchange of this.#open) exchange.status = status
    this.#endAll('ok')
  }

  #asked(head: string): Body {
    const [, method, target] = REQUEST_LINE.exec(head) ?? []
    if (method === undefined || target === undefined || this.#open.length >= MAX_EXCHANGES) return 'opaque'
    const startedAt = this.#since ?? performance.now()
    this.#since = undefined
    this.#open.push({ method, path: pathOf(target), startedAt })
    return method === 'CONNECT' ? 'opaque' : namedBody(head, 0)
  }

  #answered(head: string): Body {
    const [first] = this.#open
    const status = Number(STATUS_LINE.exec(head)?.[1])
    if (first === undefined || Number.isNaN(status)) return 'opaque'
    if (status < 200 && status !== 101) return 0 // and the answer itself is still to come
    first.status = status
    if (status === 101 || first.method === 'CONNECT') {
      // What is spoken from here on is no request, and may go on for hours.
      this.#requests.stop()
      this.#over('ok')
      return 'opaque'
    }
    if (first.method === 'HEAD' || status === 204 || status === 304) return 0
    const body = namedBody(head, 'until-close')
    if (body === 'until-close') first.untilClose = true
    return body
  }

  /** Not the end of an interim answer, of which the status is not kept. */
  #complete(): void {
    if (this.#open[0]?.status !== undefined) this.#over('ok')
  }

  #endAll(outcome: RequestOutcome): void {
    while (this.#open.length > 0) this.#over(outcome)
  }

  #over(outcome: RequestOutcome): void {
    const exchange = this.#open.shift()
    if (exchange === undefined) return
    const { method, path, status, startedAt } = exchange
    this.#report({ method, path, status, outcome, ms: Math.round(performance.now() - startedAt) })
  }
}
