import type { Pattern } from './pattern.ts'
import { pauseOf, pieceSizes, planLine, resetAfter } from './plan.ts'
import type { FlowPlan } from './plan.ts'

/** What a socket of Workers and one of `@hawser/sockets` have in common. */
export interface FlowSocket {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly opened: Promise<unknown>
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** `signal` resets the connection when it aborts; where nothing can do that (in a Worker), no flow may end by `abort`. */
export type OpenSocket = (options: { readonly allowHalfOpen: boolean; readonly signal: AbortSignal }) => FlowSocket

/**
 * What became of a flow. `ok`: every byte there and right, or the reset that was planned. `failed`: an error, `code` undefined
 * where it had none. `corrupted`: a wrong byte, or a clean end before the last one.
 */
export interface FlowResult {
  readonly id: number
  readonly outcome: 'ok' | 'failed' | 'corrupted'
  readonly code?: string | undefined
  /** Of a corrupted one: a clean end that came too early, and no wrong byte. */
  readonly early?: boolean | undefined
  readonly detail?: string | undefined
  readonly sent: number
  readonly received: number
}

/** Counts while it goes, so that a watchdog can tell a slow flow from a silent one. */
export interface FlowProgress {
  opened: boolean
  sent: number
  received: number
}

/** A byte that was not sent. */
class WrongByte extends Error {}

/** A clean end before the last byte. */
class EarlyEnd extends Error {}

/** workerd hides the code of a connection that broke after it was open; this one text is all it says. */
const LOST = 'Network connection lost.'

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.message.endsWith(LOST) ? 'network_connection_lost' : undefined
}

/** What workerd says of a stream that the other end has closed: the same as a clean end, met by whoever was not reading. */
const CLOSED = /^This (?:Readable|Writable)Stream has been closed\.$/

function isEarlyEnd(error: unknown): boolean {
  return error instanceof EarlyEnd || (error instanceof TypeError && CLOSED.test(error.message))
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The caller's side of one flow, in a Worker or in Node. */
class Flow {
  readonly #plan: FlowPlan
  readonly #pattern: Pattern
  readonly #socket: FlowSocket
  readonly #progress: FlowProgress
  readonly #abort: AbortController
  #over = false

  constructor(plan: FlowPlan, pattern: Pattern, socket: FlowSocket, progress: FlowProgress, abort: AbortController) {
    this.#abort = abort
    this.#plan = plan
    this.#pattern = pattern
    this.#socket = socket
    this.#progress = progress
    socket.closed.catch(() => {}) // says what the streams say
  }

  async run(): Promise<void> {
    const { ending } = this.#plan
    await this.#socket.opened
    this.#progress.opened = true
    const writer = this.#socket.writable.getWriter()
    writer.closed.catch(() => {})
    await writer.write(new TextEncoder().encode(planLine(this.#plan)))
    if (ending === 'abort') return this.#reset(writer)
    if (ending === 'targetFirst') {
      await this.#download()
      await this.#upload(writer)
      await writer.close()
    } else {
      const up = this.#upload(writer).then(() => (ending === 'close' ? undefined : writer.close()))
      await this.#settle(up, this.#download(ending === 'close' ? this.#plan.down : undefined))
    }
    await this.#socket.close()
  }

  /**
   * Waits for both directions; a failure of one ends the other. Not so an early end: the kernel tells of a reset once, so where a
   * write has met it, a read finds an end, in any runtime. The write then says what is wrong, with a code; without one it says
   * no more than that the end closed both ways.
   */
  async #settle(...directions: readonly Promise<void>[]): Promise<void> {
    const stop = (error: unknown): void => void (this.#over ||= !(error instanceof EarlyEnd))
    for (const direction of directions) direction.catch(stop)
    const ended = await Promise.allSettled(directions)
    const failures = ended.filter((result) => result.status === 'rejected').map(({ reason }): unknown => reason)
    const wrong = failures.find((reason) => reason instanceof WrongByte)
    const coded = failures.find((reason) => codeOf(reason) !== undefined)
    const early = failures.find((reason) => reason instanceof EarlyEnd)
    if (failures.length > 0) throw wrong ?? coded ?? early ?? failures[0]
  }

  async #upload(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    for (const bytes of pieceSizes(this.#plan.id, this.#plan.up)) {
      if (this.#over) return
      for (let left = bytes; left > 0;) {
        const piece = this.#pattern.piece(this.#plan.id, 'up', this.#progress.sent, left).slice()
        await writer.write(piece)
        this.#progress.sent += piece.length
        left -= piece.length
      }
      if (this.#plan.pauseMs > 0) await pause(pauseOf(this.#plan))
    }
  }

  /** Reads to the target's end, or to as many bytes as are wanted. */
  async #download(wanted: number = Number.POSITIVE_INFINITY): Promise<void> {
    const { id, down } = this.#plan
    const reader = this.#socket.readable.getReader()
    try {
      while (this.#progress.received < wanted) {
        const { done, value } = await reader.read()
        if (done) break
        const at = this.#pattern.differsAt(id, 'down', this.#progress.received, value)
        if (at >= 0) throw new WrongByte(`another byte than was sent, at ${at}`)
        this.#progress.received += value.length
        if (this.#progress.received > down) throw new WrongByte(`got more than the ${down} bytes that were sent`)
      }
    } finally {
      reader.releaseLock()
    }
    const { received } = this.#progress
    if (received < Math.min(down, wanted)) throw new EarlyEnd(`a clean end after ${received} of ${down} bytes`)
  }

  /** In the middle of both directions. */
  async #reset(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    const up = this.#upload(writer).catch(() => {})
    await this.#download(resetAfter(this.#plan))
    this.#over = true
    this.#abort.abort(new Error('as planned'))
    await up
  }
}

/** Runs one flow to its outcome. Never rejects; whether it ever resolves is what the watchdog asks. */
export async function runFlow(
  plan: FlowPlan,
  pattern: Pattern,
  open: OpenSocket,
  progress: FlowProgress,
): Promise<FlowResult> {
  const result = (outcome: FlowResult['outcome'], code?: string, detail?: string): FlowResult => {
    const { sent, received } = progress
    return { id: plan.id, outcome, code, detail, sent, received }
  }
  let socket: FlowSocket | undefined
  const abort = new AbortController()
  try {
    const allowHalfOpen = plan.ending === 'both' || plan.ending === 'targetFirst'
    socket = open({ allowHalfOpen, signal: abort.signal })
    await new Flow(plan, pattern, socket, progress, abort).run()
    if (plan.ending === 'targetAbort') return result('corrupted', undefined, 'a clean end where the target reset')
    return result('ok')
  } catch (error) {
    abort.abort() // the target must not take what it has for all there is
    socket?.close().catch(() => {})
    if (error instanceof WrongByte) return result('corrupted', undefined, error.message)
    if (isEarlyEnd(error)) return { ...result('corrupted', undefined, String(error)), early: true }
    // A reset takes what is still under way with it.
    const asPlanned = plan.ending === 'targetAbort' && progress.opened && codeOf(error) !== undefined
    return asPlanned ? result('ok') : result('failed', codeOf(error), String(error))
  }
}
