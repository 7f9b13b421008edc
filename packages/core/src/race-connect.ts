import { connect, isIPv6 } from 'node:net'
import type { Socket, SocketConstructorOpts, TcpSocketConnectOpts } from 'node:net'
import { formatHostPort } from './address.ts'
import { DirectSocket } from './direct-socket.ts'
import { HawserError } from './errors.ts'
import type { StopSignal } from './stop.ts'
import { dialError } from './system-errors.ts'

/** How long one address may take before the next is tried beside it (RFC 8305, "Connection Attempt Delay"). */
export const ATTEMPT_DELAY_MS = 250

/** A silent peer behind a firewall that forgot the connection is noticed this late (V-163). */
const KEEP_ALIVE_MS = 30_000

/** Starts connecting to one address literal; it must not resolve anything. */
export type ConnectAddress<S extends Socket = Socket> = (ip: string, port: number) => S

/** This machine cannot go away without a word; its sockets need no probes, which are four system calls to ask for. */
function isThisMachine(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1'
}

/** What every connection to an address literal has: half-open, because an end of one direction is passed on as just that. */
function optionsFor(ip: string, port: number): TcpSocketConnectOpts & SocketConstructorOpts {
  return {
    host: ip,
    port,
    noDelay: true,
    keepAlive: !isThisMachine(ip),
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    allowHalfOpen: true,
    autoSelectFamily: false,
    lookup: () => {
      throw new HawserError('proxy_internal_error', `${ip}: asked to resolve an address that was judged already`)
    },
  }
}

/** Connects to an address literal. */
export const connectAddress: ConnectAddress = (ip, port) => connect(optionsFor(ip, port))

/** As {@link connectAddress}, for those who only move bytes. */
export const connectDirectly: ConnectAddress<DirectSocket> = (ip, port) => {
  const options = optionsFor(ip, port)
  return new DirectSocket(options).connect(options)
}

/** When to stop trying. */
export interface RaceLimits {
  /** Its reason is what the race then fails with. */
  readonly signal: StopSignal
  /** For all addresses together. */
  readonly timeoutMs: number
}

/** The connection that won, and its address. */
export interface Connected<S extends Socket = Socket> {
  readonly socket: S
  readonly ip: string
}

/** Address families in turn, beginning with the preferred one (RFC 8305 section 4). */
export function interleave(addresses: readonly string[]): string[] {
  const first = addresses.filter((ip) => isIPv6(ip) === isIPv6(addresses[0] ?? ''))
  const second = addresses.filter((ip) => !first.includes(ip))
  const mixed: string[] = []
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    mixed.push(...first.slice(at, at + 1), ...second.slice(at, at + 1))
  }
  return mixed
}

/** The failure that tells most: an address of a family this machine has no route for hides the real reason. */
function tellingError(errors: readonly HawserError[]): HawserError {
  const unavailable = new HawserError('destination_unavailable', 'no address could be dialled')
  return errors.find((error) => error.code !== 'destination_ip_unroutable') ?? errors[0] ?? unavailable
}

function noAnswer(addresses: readonly string[], port: number, timeoutMs: number): HawserError {
  const where = addresses.map((ip) => formatHostPort({ host: ip, port })).join(', ')
  return new HawserError('connection_timeout', `${where}: no answer in ${Math.round(timeoutMs)} ms`)
}

/**
 * Connects to the first of `addresses` that answers, in order: the next one starts when the one before fails or has taken
 * {@link ATTEMPT_DELAY_MS}, and the losers are destroyed. The winner keeps an `error` listener that does nothing, so that a
 * reset before its new owner listens cannot bring the process down.
 *
 * @throws {HawserError} as `dialError` maps the most telling failure, once every address has failed; `connection_timeout`;
 *   the reason of the signal when it aborts
 */
export function raceConnect<S extends Socket>(
  addresses: readonly string[],
  port: number,
  start: ConnectAddress<S>,
  limits: RaceLimits,
): Promise<Connected<S>> {
  return new Promise((resolve, reject) => new Race(addresses, port, start, limits, resolve, reject).begin())
}

class Race<S extends Socket> {
  readonly #addresses: readonly string[]
  readonly #port: number
  readonly #start: ConnectAddress<S>
  readonly #limits: RaceLimits
  readonly #resolve: (connected: Connected<S>) => void
  readonly #reject: (error: unknown) => void
  /** In their order; those before `#next` have been tried. */
  readonly #order: readonly string[]
  #next = 0
  readonly #running: Attempt<S>[] = []
  readonly #errors: HawserError[] = []
  #delay: NodeJS.Timeout | undefined
  #limit: NodeJS.Timeout | undefined

  constructor(
    addresses: readonly string[],
    port: number,
    start: ConnectAddress<S>,
    limits: RaceLimits,
    resolve: (connected: Connected<S>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#addresses = addresses
    this.#order = addresses.length === 1 ? addresses : interleave(addresses)
    this.#port = port
    this.#start = start
    this.#limits = limits
    this.#resolve = resolve
    this.#reject = reject
  }

  begin(): void {
    const { signal, timeoutMs } = this.#limits
    if (signal.aborted) return this.#reject(signal.reason)
    this.#limit = setTimeout(this.#onLimit, timeoutMs)
    signal.addEventListener('abort', this.#onAbort)
    return this.#tryNext()
  }

  won(attempt: Attempt<S>): void {
    this.#running.splice(this.#running.indexOf(attempt), 1)
    this.#stop()
    this.#resolve(attempt)
  }

  lost(attempt: Attempt<S>, error: Error): void {
    this.#running.splice(this.#running.indexOf(attempt), 1)
    this.#errors.push(dialError(error, formatHostPort({ host: attempt.ip, port: this.#port })))
    this.#tryNext()
  }

  readonly #tryNext = (): void => {
    clearTimeout(this.#delay)
    const ip = this.#order[this.#next]
    if (ip === undefined) {
      if (this.#running.length === 0) this.#fail(tellingError(this.#errors))
      return
    }
    this.#next += 1
    if (this.#next < this.#order.length) this.#delay = setTimeout(this.#tryNext, ATTEMPT_DELAY_MS)
    this.#running.push(new Attempt(this, ip, this.#start(ip, this.#port)))
  }

  readonly #onAbort = (): void => this.#fail(this.#limits.signal.reason)

  readonly #onLimit = (): void => this.#fail(noAnswer(this.#addresses, this.#port, this.#limits.timeoutMs))

  #fail(error: unknown): void {
    this.#stop()
    this.#reject(error)
  }

  #stop(): void {
    clearTimeout(this.#delay)
    clearTimeout(this.#limit)
    this.#next = this.#order.length
    this.#limits.signal.removeEventListener('abort', this.#onAbort)
    for (const attempt of this.#running) attempt.giveUp()
    this.#running.length = 0
  }
}

/** One address of a race. Its listeners stay with the socket and do nothing once it is over. */
class Attempt<S extends Socket> implements Connected<S> {
  readonly ip: string
  readonly socket: S
  /** Let go of in the end, or all of it would live as long as the connection. */
  #race: Race<S> | undefined

  constructor(race: Race<S>, ip: string, socket: S) {
    this.ip = ip
    this.socket = socket
    this.#race = race
    socket.on('error', (error: Error) => this.#leave()?.lost(this, error))
    socket.on('connect', () => this.#leave()?.won(this))
  }

  giveUp(): void {
    this.#race = undefined
    this.socket.destroy()
  }

  #leave(): Race<S> | undefined {
    const race = this.#race
    this.#race = undefined
    return race
  }
}
