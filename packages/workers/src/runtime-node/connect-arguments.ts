/** The arguments of `net.connect()` and `socket.connect()`, in all their forms (S-278). */
import type { LookupFunction } from 'node:net'
import { nativeNet } from './native-modules.ts'
import { codedError, invalidType, notImplemented } from './node-errors.ts'

/** For the event that says that the connection stands. */
type Callback = () => void

/** Options of `socket.connect()` as they come. */
export type ConnectOptions = Readonly<Record<string, unknown>>

/** The same, checked. */
export interface ConnectTarget {
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** 4, 6, or 0 for either. Only a lookup of the caller's hears of it. */
  readonly family: number
  readonly lookup: LookupFunction | undefined
  readonly hints: number | undefined
}

/** Node's own normal form: the options, and the callback if there is one. */
export function normalizeArguments(
  args: readonly unknown[],
): [options: ConnectOptions, callback: Callback | undefined] {
  const last = args.at(-1)
  const callback = typeof last === 'function' ? (last as Callback) : undefined
  const [first, second] = args
  if (typeof first === 'object' && first !== null) return [first as ConnectOptions, callback]
  if (typeof first === 'string' && !(Number(first) >= 0)) return [{ path: first }, callback]
  if (args.length === 0 || typeof first === 'function') return [{}, callback]
  return [typeof second === 'string' ? { port: first, host: second } : { port: first }, callback]
}

/** Digits in a string will do, as they come out of URLs and environment variables. */
function parsePort(value: unknown): number {
  const text = typeof value === 'string' ? value.trim() : ''
  const port = typeof value === 'number' || text !== '' ? Number(value) : Number.NaN
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  const shown = typeof value === 'string' || typeof value === 'number' ? String(value) : typeof value
  throw codedError(RangeError, 'ERR_SOCKET_BAD_PORT', `Port should be >= 0 and < 65536. Received ${shown}.`)
}

/** They are checked and then mean nothing: it is the edge that has an address. */
function checkLocal({ localAddress, localPort }: ConnectOptions): void {
  if (localAddress !== undefined && (typeof localAddress !== 'string' || nativeNet.isIP(localAddress) === 0)) {
    throw codedError(TypeError, 'ERR_INVALID_IP_ADDRESS', `Invalid IP address: ${String(localAddress as string)}`)
  }
  if (localPort !== undefined && typeof localPort !== 'number') {
    throw invalidType('"options.localPort" property', 'of type number', localPort)
  }
}

/** @throws {TypeError} and others, with Node's codes */
export function parseTarget(options: ConnectOptions): ConnectTarget {
  const { path, port, lookup, family, hints } = options
  if (path !== undefined && path !== null) {
    const message = `The argument 'path' is not supported. Received ${JSON.stringify(path)}`
    throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message)
  }
  if (port === undefined) {
    throw codedError(TypeError, 'ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified')
  }
  checkLocal(options)
  if (lookup !== undefined && lookup !== null && typeof lookup !== 'function') {
    throw invalidType('"options.lookup" property', 'of type function', lookup)
  }
  return {
    host: hostOf(options),
    port: parsePort(port),
    family: family === 6 || family === 4 ? family : 0,
    lookup: typeof lookup === 'function' ? (lookup as LookupFunction) : undefined,
    hints: typeof hints === 'number' ? hints : undefined,
  }
}

/** Brackets are for URLs; drivers that cut one up leave them on. */
export function hostOf({ host }: ConnectOptions): string {
  const text = host === undefined || host === null || host === '' ? 'localhost' : String(host as string)
  return /^\[[^\]]*\]$/.test(text) ? text.slice(1, -1) : text
}

/** @throws {TypeError} and others, with Node's codes, for options of `new net.Socket()` */
export function checkSocketOptions(options: ConnectOptions): void {
  if (options['fd'] !== undefined) throw notImplemented('options.fd')
  for (const name of ['objectMode', 'readableObjectMode', 'writableObjectMode']) {
    const value = options[name]
    if (value === undefined || value === null || value === false) continue
    const message = `The property 'options.${name}' is not supported. Received ${String(value as string)}`
    throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', message)
  }
  const { signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidType('"signal" argument', 'an instance of AbortSignal', signal)
  }
}
