import { isIPv4, isIPv6 } from 'node:net'
import { toPort, toText } from './convert.ts'
import { TEXT } from './messages.ts'

/** Where to connect: a host name or an IP literal (IPv6 in brackets), and a port. */
export interface SocketAddress {
  readonly hostname: string
  readonly port: number
}

/** A checked address. */
export interface Target {
  /** As the caller wrote it; reported as `remoteAddress` and never normalised (S-021). */
  readonly text: string
  /** What is dialled: a name or a canonical IP; `undefined` where nothing could ever answer (S-022). */
  readonly host: string | undefined
  readonly port: number
  /** The host as written; brackets of IPv6 included. */
  readonly written: string
}

/** An address read and converted, but not checked yet: options are read in between (S-020). */
export type RawAddress = string | SocketAddress

/** What nearly every address looks like; a URL parser would only agree. */
const PLAIN = /^[A-Za-z0-9_.-]+:(\d{1,5})$/
const ALLOWED = /^[A-Za-z0-9._:[\]-]{1,255}$/
/** Spellings of IPv4 that resolvers take besides the dotted four: `127.1`, `0x7f.1`, `2130706433` (S-025). */
const LEGACY_IPV4 = /^[0-9a-fA-FxX.]*[0-9][0-9a-fA-FxX.]*$/

/**
 * Reads the first argument of `connect()`. Objects of any kind are addresses with fields, everything else becomes text.
 * @throws {TypeError} S-027 to S-029, and whatever a getter of the caller throws
 */
export function readAddress(address: unknown): RawAddress {
  if (address === undefined || address === null) {
    throw new TypeError('Cannot initialize SocketAddress with required members from an undefined or null value.')
  }
  if (typeof address !== 'object' && typeof address !== 'function') return toText(address)
  const fields: { hostname?: unknown; port?: unknown } = address
  return { hostname: toText(fields.hostname), port: toPort(fields.port) }
}

/**
 * Checks an address. Text is parsed as workerd does, as a URL of an unknown scheme (S-020).
 * @throws {TypeError} E-ADDR-PARSE, E-ADDR-HOST, E-ADDR-PORT or E-ADDR-CHARS, in that order
 */
export function parseAddress(address: RawAddress): Target {
  const text = typeof address === 'string' ? address : `${address.hostname}:${address.port}`
  const port = typeof address === 'string' ? portOf(address) : address.port
  if (!ALLOWED.test(text)) throw new TypeError(TEXT.addressCharacters)
  const written = text.slice(0, text.lastIndexOf(':'))
  return { text, written, host: dialable(written), port }
}

/** What a certificate has to be for: the host as written, without brackets (S-150). */
export function certifiedName({ written }: Target): string {
  return written.startsWith('[') ? written.slice(1, -1) : written
}

function portOf(text: string): number {
  const plain = PLAIN.exec(text)
  if (plain !== null && Number(plain[1]) <= 65_535) return Number(plain[1])
  const url = URL.parse(`fake://${text}`)
  if (url === null) throw new TypeError(TEXT.addressUnparsable)
  if (url.hostname === '') throw new TypeError(TEXT.addressWithoutHost)
  if (url.port === '') throw new TypeError(TEXT.addressWithoutPort)
  return Number(url.port)
}

function dialable(host: string): string | undefined {
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1)
    return host.endsWith(']') && isIPv6(inner) ? inner : undefined
  }
  if (host === '' || /[:[\]]/.test(host)) return undefined
  return LEGACY_IPV4.test(host) && !isIPv4(host) ? canonicalIPv4(host) : host
}

/** The dotted form of a legacy spelling, so that no resolver's taste decides what it means; a name stays as it is. */
function canonicalIPv4(host: string): string {
  const parsed = URL.parse(`http://${host}`)?.hostname
  return parsed !== undefined && isIPv4(parsed) ? parsed : host
}
