import { readFileSync } from 'node:fs'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { certifiedName } from './address.ts'
import type { Target } from './address.ts'

/** PEM text, the path of a PEM file, or the content of one. */
export type Pem = string | Uint8Array

/** How a peer has to prove itself: certificate and name, certificate alone, or not at all. */
export type TlsVerification = 'verify_full' | 'verify_ca' | 'disabled'

/**
 * TLS for the targets that `match`. The program that hosts the code decides this, never the code that calls `connect()`.
 * Files are read when the rule is given, once.
 */
export interface TlsRule {
  /**
   * A host as it is written in addresses, `*.` and a domain (any depth), an IP network such as `10.0.0.0/8`, or `*`; then
   * `:port`, if it is for one port only. IPv6 goes in brackets, the network length behind them: `[fd00::]/8:5432`.
   */
  readonly match: string
  /** CA certificates that are trusted, in place of Node's own. */
  readonly ca?: Pem | readonly Pem[] | undefined
  /** Client certificate, with the chain behind it; needs `key`. */
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
  /** @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
  /** Name to ask for and to verify, whatever the address or `startTls()` says. @default the host of the address */
  readonly serverName?: string | undefined
  /** @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}

/** Finds the options of the handshake with a target; `expectedName` is what `startTls()` was given. */
export type TlsPolicy = (target: Target, expectedName?: string) => ConnectionOptions

type Matcher = (target: Target) => boolean

interface CompiledRule {
  readonly matches: Matcher
  readonly options: ConnectionOptions
  readonly serverName: string | undefined
}

const FIELDS: ReadonlySet<string> = new Set(['match', 'ca', 'cert', 'key', 'verify', 'serverName', 'minVersion'])

/**
 * Compiles rules, the first that matches a target being the one that counts. Targets without one are verified in full
 * against what Node trusts.
 * @throws {TypeError} naming the rule and the field
 */
export function compileTlsRules(rules: readonly TlsRule[]): TlsPolicy {
  if (!Array.isArray(rules)) throw new TypeError(`tls: expected an array of rules, got ${typeof rules}`)
  const compiled = rules.map((rule, index) => compileRule(rule, `tls[${index}]`))
  return (target, expectedName) => {
    const rule = compiled.find(({ matches }) => matches(target))
    const name = rule?.serverName ?? expectedName ?? certifiedName(target)
    return { rejectUnauthorized: true, ...rule?.options, ...namedBy(name) }
  }
}

/** An IP is verified against the IPs of the certificate and is not sent as a server name (S-150). */
function namedBy(name: string): ConnectionOptions {
  return isIP(name) === 0 ? { servername: name } : { host: name }
}

function compileRule(rule: TlsRule, path: string): CompiledRule {
  if (typeof rule !== 'object' || rule === null) throw new TypeError(`${path}: expected an object, got ${typeof rule}`)
  const unknown = Object.keys(rule).find((key) => !FIELDS.has(key))
  if (unknown !== undefined)
    throw new TypeError(`${path}.${unknown}: no such field; there are ${[...FIELDS].join(', ')}`)
  if ((rule.cert === undefined) !== (rule.key === undefined)) throw new TypeError(`${path}: cert and key go together`)
  return {
    matches: compileMatch(rule.match, `${path}.match`),
    options: { ...contextOf(rule, path), ...verification(rule.verify ?? 'verify_full', path) },
    serverName: rule.serverName,
  }
}

function contextOf(rule: TlsRule, path: string): ConnectionOptions {
  const { minVersion = 'TLSv1.2' } = rule
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3') {
    throw new TypeError(`${path}.minVersion: expected TLSv1.2 or TLSv1.3, got ${String(minVersion)}`)
  }
  const authorities = rule.ca === undefined ? undefined : [rule.ca].flat()
  const read = (field: string, pem: Pem | undefined): Pem | undefined => readPem(pem, `${path}.${field}`)
  const material = {
    ca: authorities?.map((pem) => read('ca', pem) ?? ''),
    cert: read('cert', rule.cert),
    key: read('key', rule.key),
  }
  try {
    // Made once: it is a fifth of a millisecond of work, and a mistake in a file shows at the start.
    return { secureContext: createSecureContext({ ...(material as object), minVersion }) }
  } catch (cause) {
    throw new TypeError(`${path}: ca, cert or key is not usable (${(cause as Error).message})`, { cause })
  }
}

function readPem(pem: Pem | undefined, path: string): Pem | undefined {
  if (pem === undefined || typeof pem !== 'string' || pem.includes('-----BEGIN ')) return pem
  try {
    return readFileSync(pem, 'utf8')
  } catch (cause) {
    throw new TypeError(`${path}: ${(cause as Error).message}`, { cause })
  }
}

function verification(verify: TlsVerification, path: string): ConnectionOptions {
  switch (verify) {
    case 'verify_full':
      return {}
    case 'verify_ca':
      return { checkServerIdentity: () => undefined }
    case 'disabled':
      return { rejectUnauthorized: false }
    default:
      throw new TypeError(`${path}.verify: expected verify_full, verify_ca or disabled, got ${String(verify)}`)
  }
}

const PATTERN = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:/[\]]+))(?:\/(?<length>\d{1,3}))?(?::(?<port>\d{1,5}))?$/

function compileMatch(pattern: unknown, path: string): Matcher {
  const parts = typeof pattern === 'string' ? PATTERN.exec(pattern)?.groups : undefined
  if (parts === undefined) {
    throw new TypeError(
      `${path}: expected a host, *.domain, network/length or *, each with :port or without, got ${String(pattern)}`,
    )
  }
  const host = (parts['v6'] ?? parts['host'] ?? '').toLowerCase()
  const port = parts['port'] === undefined ? undefined : Number(parts['port'])
  const matchesHost =
    parts['length'] === undefined ? hostMatcher(host, path) : networkMatcher(host, Number(parts['length']), path)
  return (target) => (port === undefined || port === target.port) && matchesHost(target)
}

function hostMatcher(host: string, path: string): Matcher {
  if (host === '*') return () => true
  const isName = (target: Target): string => certifiedName(target).toLowerCase()
  if (host.startsWith('*.')) return (target) => isName(target).endsWith(host.slice(1))
  if (host.includes('*'))
    throw new TypeError(`${path}: a * stands for all hosts, or before a domain as in *.example.com`)
  // An address is matched by what it means, so that ::1 and 0:0:0:0:0:0:0:1 are one.
  if (isIP(host) !== 0) return networkMatcher(host, isIPv6(host) ? 128 : 32, path)
  return (target) => isName(target) === host
}

function networkMatcher(ip: string, length: number, path: string): Matcher {
  const list = new BlockList()
  try {
    list.addSubnet(ip, length, isIPv6(ip) ? 'ipv6' : 'ipv4')
  } catch (cause) {
    throw new TypeError(`${path}: ${ip}/${length} is no IP network`, { cause })
  }
  return ({ host }) => host !== undefined && isIP(host) !== 0 && list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')
}
