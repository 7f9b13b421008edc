import type { SocketInfo } from '../connection.ts'
import type { Socket } from '../socket.ts'

/** What a behaviour may ask of the scripted peer. Every method answers once it is true, so that nothing has to sleep. */
export interface Peer {
  readonly port: number
  /** `127.0.0.1:port`. */
  readonly address: string
  /** The connection is there (and, for a TLS peer, its handshake is over). */
  accepted(): Promise<void>
  /** All text received so far, one character a byte (in clear before the upgrade, decrypted after it), once it is at least `bytes` long. */
  received(bytes: number): Promise<string>
  /** How many bytes were received, once there are at least `bytes`. */
  count(bytes: number): Promise<number>
  /** The last `bytes` characters of what was received so far. */
  tail(bytes: number): Promise<string>
  /** The caller's FIN (or close_notify) was read. */
  ended(): Promise<string>
  /** How the connection went: by `fin` or by `reset`. */
  gone(): Promise<string>
  send(text: string): Promise<void>
  /** Sends `bytes` times the letter x. */
  sendMany(bytes: number): Promise<void>
  end(text?: string): Promise<void>
  reset(): Promise<void>
  /** Stops and starts reading what the caller sends. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** How the TLS handshake went: `secure`, or the reason why not. */
  secured(): Promise<string>
  /** Server name (SNI) and ALPN the caller sent in its handshake. */
  hello(): Promise<{ servername: string | false; alpn: string | false; protocol: string | null }>
}

/** `good` names `localhost` and `127.0.0.1`; `untrusted` is from a CA nobody knows. */
export type CertificateName = 'good' | 'wrongName' | 'expired' | 'untrusted'

export interface PeerOptions {
  /** TLS from the first byte. */
  readonly tls?: CertificateName
  /** Clear text up to and including `command`, then `reply` in clear, then TLS. */
  readonly startTls?: { readonly command: string; readonly reply?: string; readonly certificate: CertificateName }
  /** Sends everything back, and ends when the caller does. */
  readonly echo?: boolean
}

/** The place a behaviour runs at: a `connect` and peers it can reach. */
export interface Harness {
  readonly connect: Connect
  peer(options?: PeerOptions): Promise<Peer>
  /** A port where nobody listens. */
  refused(): Promise<number>
  /** Gives everything that is under way the time to happen, for the few statements that something does not happen. */
  quiet(): Promise<void>
}

/** As loose as JavaScript is: half the behaviours are about wrong arguments. */
// oxlint-disable-next-line typescript/no-explicit-any -- the point of these calls is to pass what the types forbid
export type Connect = (address?: any, options?: any) => Socket

/** One numbered statement about `connect()` and `Socket`, as a function whose JSON answer has to equal `expect`. */
export interface Behaviour {
  /** Number and sentence. */
  readonly title: string
  readonly run: (harness: Harness) => unknown
  readonly expect: unknown
  /** What workerd 1.20261117.1 answers where that is not `expect`; the README's table of differences says why. */
  readonly native?: unknown
}

/** A behaviour in one line. */
export function behaviour(title: string, run: Behaviour['run'], expect: unknown, native?: unknown): Behaviour {
  return native === undefined ? { title, run, expect } : { title, run, expect, native }
}

/** `Name: message` of an error, JSON of anything else. */
export function describe(value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return value === undefined ? 'undefined' : value
}

/** What a call throws, or what it returns. */
export function thrown(call: () => unknown): unknown {
  try {
    return describe(call())
  } catch (error) {
    return describe(error)
  }
}

/** How a promise ends. */
export function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ ok: describe(value) }),
    (error: unknown) => ({ error: describe(error) }),
  )
}

/** How a promise stands when everything is quiet: an outcome, or `pending`. */
export async function state(harness: Harness, promise: Promise<unknown>): Promise<unknown> {
  const done = outcome(promise)
  await harness.quiet()
  return Promise.race([done, Promise.resolve('pending')])
}

/** A `read()` result as text. */
export async function textOf(read: Promise<{ done: boolean; value?: Uint8Array | undefined }>): Promise<unknown> {
  const { done, value } = await read
  return { done, text: value === undefined ? 'undefined' : new TextDecoder().decode(value) }
}

/** A socket that is open, and its peer. */
export async function pair(
  harness: Harness,
  options?: unknown,
  peerOptions?: PeerOptions,
): Promise<{ socket: Socket; peer: Peer }> {
  const peer = await harness.peer(peerOptions)
  const socket = harness.connect(`localhost:${peer.port}`, options)
  await socket.opened
  await peer.accepted()
  return { socket, peer }
}

/** Reads exactly `bytes` bytes by default-reader reads; fewer at the end of the stream. */
export async function take(reader: ReadableStreamDefaultReader<Uint8Array>, bytes: number): Promise<string> {
  let text = ''
  while (text.length < bytes) {
    const { done, value } = await reader.read()
    if (done) break
    text += new TextDecoder().decode(value)
  }
  return text
}

/** Notes in which order promises settle. */
export function recorder(): {
  readonly log: string[]
  readonly watch: (name: string, promise: Promise<unknown>) => void
} {
  const log: string[] = []
  const watch = (name: string, promise: Promise<unknown>): void => {
    promise.then(
      () => log.push(name),
      () => log.push(`${name} rejected`),
    )
  }
  return { log, watch }
}

/** The info of an open socket, with its undefined fields visible and without the number of its port. */
export function infoOf(info: SocketInfo): unknown {
  const hide = (value: unknown): unknown =>
    typeof value === 'string' ? value.replace(/\d+$/, 'port') : describe(value)
  return Object.fromEntries(Object.entries(info).map(([key, value]) => [key, hide(value)]))
}
