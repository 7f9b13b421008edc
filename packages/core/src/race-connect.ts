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
  { signal, timeoutMs }: RaceLimits,
): Promise<Connected<S>> {
  return new Promise((resolve, reject) => {
    const waiting = addresses.length === 1 ? [...addresses] : interleave(addresses)
    const racing = new Set<S>()
    const errors: HawserError[] = []
    let timer: NodeJS.Timeout | undefined

    const stop = (): void => {
      clearTimeout(timer)
      clearTimeout(limit)
      waiting.length = 0
      signal.removeEventListener('abort', onAbort)
      for (const socket of racing) socket.destroy()
      racing.clear()
    }
    const fail = (error: unknown): void => {
      stop()
      reject(error)
    }
    const onAbort = (): void => fail(signal.reason)
    const next = (): void => {
      clearTimeout(timer)
      const ip = waiting.shift()
      if (ip === undefined) {
        if (racing.size > 0) return
        fail(tellingError(errors))
        return
      }
      if (waiting.length > 0) timer = setTimeout(next, ATTEMPT_DELAY_MS)
      const socket = start(ip, port)
      racing.add(socket)
      const onError = (error: Error): void => {
        if (!racing.delete(socket)) return
        errors.push(dialError(error, formatHostPort({ host: ip, port })))
        next()
      }
      socket.on('error', onError)
      socket.once('connect', () => {
        if (!racing.delete(socket)) return
        socket.on('error', ignore).off('error', onError) // or the whole race would live as long as the connection
        stop()
        resolve({ socket, ip })
      })
    }

    const limit = setTimeout(() => fail(noAnswer(addresses, port, timeoutMs)), timeoutMs)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    return next()
  })
}

function ignore(): void {}
