import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { dialError, formatHostPort, HawserError } from '@hawser/core'
import type { Dialed, Dialer, DialTarget } from '@hawser/core'

/** How long one address may take before the next is tried beside it (RFC 8305, "Connection Attempt Delay"). */
const ATTEMPT_DELAY_MS = 250
/** How early a silent peer is noticed. */
const KEEP_ALIVE_MS = 30_000

/** Starts connecting to one address literal. Injected in tests. */
export type ConnectTo = (ip: string, port: number) => Socket

const connectTcp: ConnectTo = (ip, port) =>
  connect({
    host: ip,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    allowHalfOpen: true, // an end of one direction is passed on as just that
    autoSelectFamily: false,
    lookup: () => {
      throw new HawserError('proxy_internal_error', `${ip}: asked to resolve an address that was judged already`)
    },
  })

/**
 * Opens connections to exactly these addresses, in this order, the next one starting when the one before has failed or
 * taken {@link ATTEMPT_DELAY_MS}; the first to answer wins. The host of the target serves for messages alone.
 *
 * @param addresses canonical literals that policy has allowed
 */
export function directDialer(addresses: readonly string[], connectTo: ConnectTo = connectTcp): Dialer {
  return { dial: (target, signal) => new Race(addresses, target, connectTo, signal).run() }
}

/** One dial: the attempts under way, and which of them counts. */
class Race {
  readonly #waiting: string[]
  readonly #target: DialTarget
  readonly #connectTo: ConnectTo
  readonly #signal: AbortSignal
  readonly #running = new Set<Socket>()
  #error: HawserError | undefined
  #nextTimer: NodeJS.Timeout | undefined
  #limitTimer: NodeJS.Timeout | undefined
  #settle: ((result: Dialed | HawserError) => void) | undefined

  constructor(addresses: readonly string[], target: DialTarget, connectTo: ConnectTo, signal: AbortSignal) {
    this.#waiting = [...addresses]
    this.#target = target
    this.#connectTo = connectTo
    this.#signal = signal
  }

  run(): Promise<Dialed> {
    return new Promise((resolve, reject) => {
      this.#settle = (result) => {
        this.#stop()
        if (result instanceof Error) reject(result)
        else resolve(result)
      }
      if (this.#signal.aborted) return this.#onAbort()
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
      const { timeoutMs } = this.#target
      this.#limitTimer = setTimeout(() => {
        this.#fail('connection_timeout', `no answer in ${timeoutMs} ms`)
      }, timeoutMs)
      return this.#next()
    })
  }

  readonly #onAbort = (): void => {
    this.#settle?.(HawserError.from(this.#signal.reason, 'connection_aborted'))
  }

  #fail(code: 'connection_timeout' | 'destination_unavailable', why: string): void {
    this.#settle?.(new HawserError(code, `${formatHostPort(this.#target)}: ${why}`))
  }

  #next(): void {
    clearTimeout(this.#nextTimer)
    const ip = this.#waiting.shift()
    if (ip === undefined) {
      if (this.#running.size > 0) return
      if (this.#error === undefined) this.#fail('destination_unavailable', 'no address to dial')
      else this.#settle?.(this.#error)
      return
    }
    if (this.#waiting.length > 0) this.#nextTimer = setTimeout(() => this.#next(), ATTEMPT_DELAY_MS)
    this.#attempt(ip)
  }

  #attempt(ip: string): void {
    const { port } = this.#target
    const socket = this.#connectTo(ip, port)
    this.#running.add(socket)
    const onError = (error: Error): void => {
      if (!this.#running.delete(socket)) return
      // An address family this machine has no way to says less than any other failure.
      const failure = dialError(error, formatHostPort(this.#target))
      if (this.#error === undefined || this.#error.code === 'destination_ip_unroutable') this.#error = failure
      this.#next()
    }
    socket.on('error', onError) // stays: a loser may fail after it has been destroyed, a winner before it has an owner
    socket.once('connect', () => {
      if (!this.#running.delete(socket)) return
      this.#settle?.({ stream: socket, remoteAddress: formatHostPort({ host: ip, port }) })
    })
  }

  #stop(): void {
    this.#settle = undefined
    clearTimeout(this.#nextTimer)
    clearTimeout(this.#limitTimer)
    this.#signal.removeEventListener('abort', this.#onAbort)
    for (const socket of this.#running) socket.destroy()
    this.#running.clear()
    this.#waiting.length = 0
  }
}
