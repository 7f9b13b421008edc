import { HawserError, parseHostPort } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { Memo } from '../memo.ts'

/** Scheme, host and port of a URL. */
export interface Origin extends HostPort {
  readonly tls: boolean
  /** Host and port as written: the `Host` field of the request that goes out. */
  readonly authority: string
  /** As written: `http://db.internal:8080`. */
  readonly text: string
}

/** A request target in absolute form (RFC 9112 section 3.2.2), taken apart. */
export interface RequestUrl {
  readonly origin: Origin
  /** Path and query, beginning with `/`. */
  readonly path: string
}

/** User information never comes from workerd, and in anyone else's URL it hides the host. */
const ORIGIN = /^(https?):\/\/([^/?#@\\]+)$/i

const origins = new Memo(parseOrigin)

function parseOrigin(text: string): Origin {
  const match = ORIGIN.exec(text)
  if (match === null) {
    throw new HawserError('http_request_error', 'expected a request with an absolute http: or https: URL')
  }
  const [, scheme = '', authority = ''] = match
  const tls = scheme.length === 5
  const { host, port } = parseHostPort(authority, 'URL', tls ? 443 : 80)
  return { tls, authority, host, port, text }
}

/** @throws {HawserError} `http_request_error` for any other form, `address_invalid` for a host or port that is none */
export function parseRequestUrl(target: string): RequestUrl {
  const from = target.indexOf('://') + 3
  const slash = target.indexOf('/', from)
  const query = target.indexOf('?', from)
  let end = slash < 0 ? target.length : slash
  if (query >= 0 && query < end) end = query
  const path = target.slice(end)
  return { origin: origins.get(target.slice(0, end)), path: end === slash ? path : `/${path}` }
}
