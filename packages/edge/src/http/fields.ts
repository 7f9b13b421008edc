import { HawserError } from '@hawser/core'

/** What the header section of a message says about the message itself, and the part of it that travels on. */
export interface Fields {
  /**
   * The end-to-end fields as they were written, each line with its CRLF. Without `Host`, `Content-Length`,
   * `Transfer-Encoding`, the hop-by-hop fields of RFC 9110 section 7.6.1 and every `hawser-*` field.
   */
  readonly forwarded: string
  readonly host: string | undefined
  /** Undefined where the field is absent. */
  readonly contentLength: number | undefined
  readonly chunked: boolean
  /** Lower case; empty where absent. */
  readonly connection: string
  /** What to change to, where the sender asks for that or announces it. */
  readonly upgrade: string | undefined
  /** Seconds of `Keep-Alive: timeout=N`, if the sender gave them. */
  readonly keepAliveSeconds: number | undefined
}

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/**
 * What no header section may hold: control characters, and CR or LF other than together. The peer may be anything at all,
 * and what two readers could split differently is how requests are smuggled (RFC 9112 section 11.2).
 */
// oxlint-disable-next-line no-control-regex -- control characters are the point
const MALFORMED = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/
const OWN_PREFIX = 'hawser-'

interface Reading {
  forwarded: string
  host: string | undefined
  contentLength: number | undefined
  chunked: boolean
  connection: string
  upgrade: string | undefined
  keepAliveSeconds: number | undefined
}

function malformed(what: string): HawserError {
  return new HawserError('http_protocol_error', `malformed HTTP: ${what}`)
}

function readLength(value: string, before: number | undefined): number {
  // Digits alone: `+5`, `5, 5` and `0x5` are where parsers begin to differ. Repeats are refused even where they agree.
  if (!/^\d{1,15}$/.test(value)) throw malformed('Content-Length is not a number')
  if (before !== undefined) throw malformed('more than one Content-Length')
  return Number(value)
}

/** Takes a field that is about this hop alone. True where it was one. */
function takeHopField(name: string, value: string, into: Reading): boolean {
  switch (name) {
    case 'host':
      if (into.host !== undefined) throw malformed('more than one Host')
      into.host = value
      return true
    case 'content-length':
      into.contentLength = readLength(value, into.contentLength)
      return true
    case 'transfer-encoding':
      // Any other coding, or chunked twice, would leave the end of the body to guessing.
      if (into.chunked || value.toLowerCase() !== 'chunked') throw malformed('a transfer coding other than chunked')
      into.chunked = true
      return true
    case 'connection':
      into.connection = into.connection === '' ? value.toLowerCase() : `${into.connection},${value.toLowerCase()}`
      return true
    case 'upgrade':
      into.upgrade = value
      return true
    case 'keep-alive': {
      const seconds = /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(value)?.[1]
      if (seconds !== undefined) into.keepAliveSeconds = Number(seconds)
      return true
    }
    case 'proxy-connection':
    case 'te':
    case 'trailer':
      return true
    default:
      return name.startsWith(OWN_PREFIX)
  }
}

/** Fields that `Connection` names are for this hop too (RFC 9110 section 7.6.1). */
function withoutNamed(forwarded: string, connection: string): string {
  const named = connection
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '' && option !== 'close' && option !== 'keep-alive' && option !== 'upgrade')
  if (named.length === 0) return forwarded
  const lines = forwarded
    .split('\r\n')
    .filter((line) => !named.includes(line.slice(0, line.indexOf(':')).toLowerCase()))
  return lines.join('\r\n')
}

/**
 * Reads the field lines of `head` from `at`, which is just past the start line. Strict: no folding, no blank before the
 * colon, no bare CR or LF (RFC 9112 section 5).
 *
 * @param head a whole header section with its final empty line, one character a byte
 * @throws {HawserError} `http_protocol_error`
 */
export function readFields(head: string, at: number): Fields {
  if (MALFORMED.test(head)) throw malformed('a control character in the header')
  const into: Reading = {
    forwarded: '',
    host: undefined,
    contentLength: undefined,
    chunked: false,
    connection: '',
    upgrade: undefined,
    keepAliveSeconds: undefined,
  }
  for (let start = at; ;) {
    const end = head.indexOf('\r\n', start)
    if (end <= start) break
    const colon = head.indexOf(':', start)
    const name = head.slice(start, colon).toLowerCase()
    if (colon < 0 || colon > end || !TOKEN.test(name)) throw malformed('a header line that is no field')
    if (!takeHopField(name, head.slice(colon + 1, end).trim(), into)) into.forwarded += head.slice(start, end + 2)
    start = end + 2
  }
  // An Upgrade that Connection does not name is not meant for us, nor for the next hop (RFC 9110 section 7.8).
  if (!hasOption(into.connection, 'upgrade')) into.upgrade = undefined
  if (into.connection !== '') into.forwarded = withoutNamed(into.forwarded, into.connection)
  return into
}

/** True where a comma-separated field value holds `option`; both in lower case. */
export function hasOption(value: string, option: string): boolean {
  return value === option || (value.includes(option) && value.split(',').some((part) => part.trim() === option))
}
