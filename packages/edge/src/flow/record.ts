import { Histogram } from '@hawser/core'
import type { ErrorCode, FlowRecord, Logger } from '@hawser/core'
import type { FlowContext } from './context.ts'

/** Flows kept for whoever asks what happened lately. */
const MAX_RECENT = 1_000
/** Seconds: from a service on the same machine to one that takes the whole time limit. */
const DIAL_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Totals since the edge started: plain fields, read by whoever collects them. */
export class FlowCounters {
  ok = 0
  failed = 0
  aborted = 0
  bytesSent = 0
  bytesReceived = 0
  readonly byCode: Map<ErrorCode, number> = new Map()
  /** Flows that were admitted and have not ended. */
  open = 0
  /** Of connections that were opened; a request on a kept one has none. */
  readonly dialSeconds: Histogram = new Histogram(DIAL_BOUNDS_SECONDS)
}

/** Where all flows end. */
export class FlowRecorder {
  readonly counters: FlowCounters = new FlowCounters()
  readonly #logger: Logger
  readonly #onFlow: ((flow: FlowRecord) => void) | undefined
  readonly #ring: FlowRecord[] = []
  #next = 0

  constructor(logger: Logger, onFlow?: (flow: FlowRecord) => void) {
    this.#logger = logger
    this.#onFlow = onFlow
  }

  /** The flows that ended last, oldest first. */
  recent(): readonly FlowRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
  }

  keep(flow: FlowRecord): void {
    this.#count(flow)
    if (this.#ring.length < MAX_RECENT) this.#ring.push(flow)
    else {
      this.#ring[this.#next] = flow
      this.#next = (this.#next + 1) % MAX_RECENT
    }
    this.#log(flow)
    try {
      this.#onFlow?.(flow)
    } catch (error) {
      this.#logger.error('the listener for flows failed', { flow: flow.id, error })
    }
  }

  #count(flow: FlowRecord): void {
    const { counters } = this
    counters.bytesSent += flow.bytesSent
    counters.bytesReceived += flow.bytesReceived
    if (flow.outcome === 'ok') counters.ok += 1
    else if (flow.outcome === 'aborted') counters.aborted += 1
    else counters.failed += 1
    if (flow.error !== undefined) counters.byCode.set(flow.error.code, (counters.byCode.get(flow.error.code) ?? 0) + 1)
  }

  #log({
    id,
    worker,
    binding,
    kind,
    requested,
    outcome,
    error,
    bytesSent,
    bytesReceived,
    startedAt,
  }: FlowRecord): void {
    const ms = Date.now() - startedAt
    if (error === undefined) {
      this.#logger.debug('flow', { flow: id, worker, binding, kind, requested, outcome, bytesSent, bytesReceived, ms })
      return
    }
    const { step, code, message: reason } = error // a field named `message` would take the place of the line's own
    const failure = { step, code, reason }
    this.#logger.info('flow', {
      flow: id,
      worker,
      binding,
      kind,
      requested,
      outcome,
      bytesSent,
      bytesReceived,
      ms,
      ...failure,
    })
  }
}

/**
 * Step 9, record: what happened? Comes last in every flow, whatever the others did, and once. It gives the flow's place
 * back, and remembers a failure before the Worker is told of it: its module may ask at once.
 */
export function record(context: FlowContext): void {
  const startedAt = performance.now()
  const { flow, binding, call } = context
  const { error } = flow
  const { counters } = context.services.recorder
  flow.outcome = error === undefined ? 'ok' : error.code === 'connection_aborted' ? 'aborted' : 'error'
  if (binding.open.delete(context)) counters.open -= 1
  context.leave?.()
  if (flow.route?.remoteAddress !== undefined && context.dialer !== undefined) {
    counters.dialSeconds.observe((flow.timings.dial ?? 0) / 1000)
  }
  if (call.kind === 'connect' && call.callId !== undefined && error !== undefined) {
    const { code, message } = error
    // Of an upgrade that came to nothing because its connection did, the module asks about the connection.
    const told = call.operation === 't' && binding.failures.recall(call.callId, startedAt) !== undefined
    if (!told) binding.failures.remember(call.callId, { code, message, flow: flow.id }, startedAt)
  }
  flow.timings.record = performance.now() - startedAt
  context.services.recorder.keep(flow)
}
