import { AssertionError } from 'node:assert'
import { formatHostPort } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import type { Flow, FlowFilter } from './flow.ts'

/** How long a call under way may take to be recorded: what a Worker keeps open is not waited for. */
const SETTLE_MS = 1_000
/** How long `flow()` waits for a call that nobody has made yet. */
const APPEAR_MS = 2_000

function fits(flow: Flow, { binding, requested, kind, outcome, code }: FlowFilter): boolean {
  return (
    (binding === undefined || flow.binding === binding) &&
    (requested === undefined ||
      (typeof requested === 'string' ? flow.requested === requested : flow.requested.search(requested) >= 0)) &&
    (kind === undefined || flow.kind === kind) &&
    (outcome === undefined || flow.outcome === outcome) &&
    (code === undefined || flow.error?.code === code)
  )
}

function describeFlow({ binding, kind, requested, outcome, route, error }: Flow): string {
  const way = route?.remoteAddress === undefined ? '' : ` → ${route.remoteAddress}`
  const reason = error === undefined ? '' : ` (${error.code}: ${error.message})`
  return `${binding} ${kind} ${requested}${way} ${outcome ?? 'ok'}${reason}`
}

function describeFilter(filter: FlowFilter): string {
  const parts = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value instanceof RegExp ? String(value) : JSON.stringify(value)}`)
  return parts.length === 0 ? 'any' : parts.join(', ')
}

interface Open {
  readonly binding: string
  readonly target: HostPort
}

/** The calls that left one Worker, those under way and those that are over. */
export class FlowLog {
  readonly #ended: Flow[] = []
  readonly #open = new Map<string, Open>()
  #waiting: (() => void)[] = []

  /** A call is about to be dialled; it ends with a record. */
  readonly opened = (flowId: string, binding: string, target: HostPort): void => {
    this.#open.set(flowId, { binding, target })
  }

  /** A call is over. */
  readonly ended = (flow: Flow): void => {
    this.#open.delete(flow.id)
    this.#ended.push(flow)
    this.#wake()
  }

  /** The calls that fit, oldest first, once those under way through the same bindings are over, or a second has passed. */
  async flows(filter: FlowFilter = {}): Promise<readonly Flow[]> {
    await this.#until(() => !this.#isOpen(filter), SETTLE_MS)
    return this.#ended.filter((flow) => fits(flow, filter)).toSorted((a, b) => a.startedAt - b.startedAt)
  }

  /**
   * The one call that fits, waited for.
   *
   * @throws {AssertionError} where there is none, or more than one, with a list of what there was
   */
  async flow(filter: FlowFilter = {}): Promise<Flow> {
    await this.#until(() => this.#ended.some((flow) => fits(flow, filter)), APPEAR_MS)
    const found = await this.flows(filter)
    const [first] = found
    if (first !== undefined && found.length === 1) return first
    throw new AssertionError({
      message: `expected one call (${describeFilter(filter)}), there are ${found.length}\n${this.#describe()}`,
      actual: found.length,
      expected: 1,
      operator: 'flow',
    })
  }

  #isOpen({ binding }: FlowFilter): boolean {
    return [...this.#open.values()].some((open) => binding === undefined || open.binding === binding)
  }

  #describe(): string {
    const ended = this.#ended.map((flow) => `  ${describeFlow(flow)}`)
    const open = [...this.#open.values()].map(
      ({ binding, target }) => `  ${binding} ${formatHostPort(target)} still open`,
    )
    const lines = [...ended, ...open]
    return lines.length === 0 ? 'The Worker made no call at all.' : `What the Worker called:\n${lines.join('\n')}`
  }

  /** Resolves once `done` holds, looked at after every record, or after `limitMs`. */
  async #until(done: () => boolean, limitMs: number): Promise<void> {
    // A call that was answered may have its record in this very turn.
    await new Promise((resolve) => setImmediate(resolve))
    let isOver = false
    const limit = setTimeout(() => {
      isOver = true
      this.#wake()
    }, limitMs)
    while (!done() && !isOver) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
    clearTimeout(limit)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const look of waiting) look()
  }
}
