import type { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'
import type { ClearRelay } from './clear-relay.ts'
import type { ConnectCall, FlowContext } from './context.ts'

const TIMEOUT_MS = 10_000
/** Second halves that may wait for a first one, of one binding. */
const MAX_EARLY = 1_000

/** What came of a request to get ready for TLS. `refused`: the connection is there, but cannot be upgraded any more. */
export type MarkOutcome = 'marked' | 'unknown' | 'refused'

/**
 * One connection that may be upgraded to TLS, and the two words of its module by which that happens, in either order: the
 * mark, upon which nothing more is relayed to the Worker, and the CONNECT that is to carry on, here called the successor.
 */
export class Upgrade {
  readonly callId: string
  readonly #context: FlowContext
  readonly #timeoutMs: number
  #relay: ClearRelay | undefined
  #marked = false
  #successor: ConnectCall | undefined
  #timer: NodeJS.Timeout | undefined
  #arrived: ((successor: ConnectCall) => void) | undefined

  constructor(callId: string, context: FlowContext) {
    this.callId = callId
    this.#context = context
    this.#timeoutMs = context.services.limits.upgradeTimeoutMs ?? TIMEOUT_MS
  }

  /** The connection stands, and this is what relays it. */
  begin(relay: ClearRelay): void {
    this.#relay = relay
    if (this.#marked) relay.stop()
    this.#watch()
  }

  /** @returns false where it is too late */
  mark(): boolean {
    if (this.#marked || this.#relay?.stop() === false) return false
    this.#marked = true
    this.#watch()
    return true
  }

  /** @returns false where there is a successor already */
  join(call: ConnectCall): boolean {
    if (this.#successor !== undefined) return false
    this.#successor = call
    call.onGone = (reason) => {
      if (this.#marked) return this.#context.abort(reason)
      this.#successor = undefined // the connection in clear goes on
      return this.#watch()
    }
    this.#arrived?.(call)
    this.#watch()
    return true
  }

  /** The successor, once it is there. Where it does not come, the flow is aborted. */
  successor(): Promise<ConnectCall> {
    const { signal } = this.#context
    return new Promise((resolve, reject) => {
      if (this.#successor !== undefined) return resolve(this.#successor)
      if (signal.aborted) return reject(HawserError.from(signal.reason, 'connection_aborted'))
      const onAbort = (): void => reject(HawserError.from(signal.reason, 'connection_aborted'))
      signal.addEventListener('abort', onAbort, { once: true })
      this.#arrived = (call) => {
        signal.removeEventListener('abort', onAbort)
        resolve(call)
      }
      return undefined
    })
  }

  /** Tells the successor that it may carry on. */
  accept(successor: ConnectCall): Duplex {
    this.#successor = undefined
    return successor.accept()
  }

  /** The flow has ended, its record is complete: a successor that still waits is told why, as its module is that asks. */
  end(error: HawserError | undefined): void {
    clearTimeout(this.#timer)
    const successor = this.#successor
    if (successor === undefined) return
    const { flow, binding } = this.#context
    const message = `${flow.requested} ended before it was upgraded to TLS`
    const reason = error ?? new HawserError('connection_terminated', message)
    if (error === undefined) {
      binding.failures.remember(this.callId, { code: reason.code, message, flow: flow.id }, performance.now())
    }
    successor.refuse(reason, flow)
  }

  /** One half without the other is given up after a while, once there is a connection to upgrade. */
  #watch(): void {
    clearTimeout(this.#timer)
    if (this.#relay === undefined || this.#marked === (this.#successor !== undefined)) return
    const missing = this.#marked ? 'the connection that was to carry on' : 'word that it may begin'
    this.#timer = setTimeout(() => {
      const message = `${this.#context.flow.requested}: an upgrade to TLS was asked for, but ${missing} did not come`
      this.#context.abort(new HawserError('connection_aborted', message))
    }, this.#timeoutMs)
  }
}

interface Early {
  readonly call: ConnectCall
  /** Ends its wait. */
  readonly stop: () => void
}

/** The connections of one binding that may be upgraded to TLS, by the ids that its module gave their calls. */
export class Upgrades {
  readonly #open = new Map<string, Upgrade>()
  /** Successors that overtook the connection they belong to. */
  readonly #early = new Map<string, Early>()
  readonly #timeoutMs: number
  readonly #orphan: (call: ConnectCall) => void

  /**
   * @param timeoutMs how long a successor may wait for the connection it belongs to. @default 10_000
   * @param orphan takes a successor that belongs to none
   */
  constructor(orphan: (call: ConnectCall) => void, timeoutMs: number = TIMEOUT_MS) {
    this.#orphan = orphan
    this.#timeoutMs = timeoutMs
  }

  /** Begins with a flow. Undefined where that cannot be upgraded, because it does not ask for it or its id is in use. */
  open(context: FlowContext): Upgrade | undefined {
    const { call } = context
    if (call.kind !== 'connect' || call.operation !== 'u') return undefined
    const { callId } = call
    if (callId === undefined || this.#open.has(callId)) return undefined
    const upgrade = new Upgrade(callId, context)
    this.#open.set(callId, upgrade)
    const early = this.#early.get(callId)
    early?.stop()
    if (early !== undefined) upgrade.join(early.call)
    return upgrade
  }

  /** Ends with the flow, once its record is complete. */
  end(upgrade: Upgrade, error: HawserError | undefined): void {
    this.#open.delete(upgrade.callId)
    upgrade.end(error)
  }

  mark(callId: string): MarkOutcome {
    const upgrade = this.#open.get(callId)
    if (upgrade === undefined) return 'unknown'
    return upgrade.mark() ? 'marked' : 'refused'
  }

  /** Takes a successor to the connection it belongs to, which may be yet to come. */
  join(call: ConnectCall): void {
    const { callId = '' } = call
    const upgrade = this.#open.get(callId)
    if (upgrade?.join(call) === true) return
    if (upgrade !== undefined || this.#early.has(callId) || this.#early.size >= MAX_EARLY) return this.#orphan(call)
    const stop = (): void => {
      clearTimeout(timer)
      this.#early.delete(callId)
    }
    const timer = setTimeout(() => this.drop(callId), this.#timeoutMs)
    this.#early.set(callId, { call, stop })
    call.onGone = stop
    return undefined
  }

  /** No connection will come for a successor of this id that waits for one. */
  drop(callId: string): void {
    const early = this.#early.get(callId)
    early?.stop()
    if (early !== undefined) this.#orphan(early.call)
  }

  /** No connections will come at all. */
  close(): void {
    for (const callId of this.#early.keys()) this.drop(callId)
  }
}
