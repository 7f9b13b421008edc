import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { formatHostPort, HawserError } from '@hawser/core'
import type { TlsRule, TlsVerification } from '@hawser/core'
import { parseHost } from '@hawser/policy'

/** How to speak TLS to one target. */
export interface TlsTerms {
  /** What the rule matches, as it is named in records and messages; undefined where no rule applies. */
  readonly rule: string | undefined
  /** Holds the trust, the client certificate and the lowest version. Made once: that costs more than a handshake. */
  readonly context: SecureContext
  readonly verify: TlsVerification
  /** In place of the name that the Worker used. */
  readonly serverName: string | undefined
}

interface CompiledRule {
  readonly matches: (host: string) => boolean
  readonly port: number | undefined
  readonly terms: TlsTerms
}

const MAX_PORT = 65_535
const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

/** The TLS rules of one binding, ready for use: the first that matches a target is the one that counts. */
export class TlsRules {
  readonly #rules: readonly CompiledRule[]
  readonly #otherwise: TlsTerms

  /**
   * @param trust for targets that no rule is for
   * @throws {HawserError} `config_invalid`, naming what the rule matches
   */
  constructor(rules: readonly TlsRule[] | undefined, trust: SecureContext) {
    this.#rules = (rules ?? []).map(compile)
    this.#otherwise = { rule: undefined, context: trust, verify: 'verify_full', serverName: undefined }
  }

  /** @param host lower case or canonical, no brackets */
  for(host: string, port: number): TlsTerms {
    for (const rule of this.#rules) {
      if ((rule.port === undefined || rule.port === port) && rule.matches(host)) return rule.terms
    }
    return this.#otherwise
  }
}

function compile(rule: TlsRule): CompiledRule {
  const name = rule.port === undefined ? rule.host : formatHostPort({ host: rule.host, port: rule.port })
  const { port } = rule
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port <= MAX_PORT)) {
    throw invalid(name, `expected a port of 1 to ${MAX_PORT}, got ${port}`)
  }
  const { verify = 'verify_full', serverName } = rule
  const terms = { rule: name, context: contextOf(rule, name), verify, serverName }
  return { matches: hostMatcher(rule.host, name), port, terms }
}

function hostMatcher(pattern: string, name: string): (host: string) => boolean {
  const suffix = pattern.startsWith('*.') ? pattern.slice(1) : undefined
  const exact = suffix === undefined ? pattern : suffix.slice(1)
  let wanted: string
  try {
    const parsed = parseHost(exact)
    wanted = parsed.kind === 'ip' ? parsed.ip : parsed.name
  } catch (error) {
    throw invalid(name, 'expected a name, an address, or "*." and a name', error)
  }
  if (suffix === undefined) return (host) => host === wanted
  if (isIP(wanted) !== 0) throw invalid(name, 'an address has no names before it')
  const ending = `.${wanted}`
  // One label: what a wildcard in a certificate stands for too (RFC 6125 section 6.4.3).
  return (host) =>
    host.endsWith(ending) && host.indexOf('.') === host.length - ending.length && host.length > ending.length
}

function contextOf({ caPem, certPem, keyPem, minVersion = 'TLSv1.2' }: TlsRule, name: string): SecureContext {
  if ((certPem === undefined) !== (keyPem === undefined)) {
    throw invalid(name, 'a client certificate and its key come together, and one of them is missing')
  }
  const options: SecureContextOptions = { minVersion }
  if (caPem !== undefined) options.ca = authorities(caPem, name)
  if (certPem !== undefined && keyPem !== undefined) {
    options.cert = certPem
    options.key = keyPem.reveal()
  }
  try {
    return createSecureContext(options)
  } catch (error) {
    throw invalid(name, `the client certificate and its key cannot be used: ${messageOf(error)}`, error)
  }
}

/** Node passes over what it cannot read here, and would then trust nobody, or fewer than was asked for. */
function authorities(pem: string, name: string): string[] {
  const found = pem.match(CERTIFICATE) ?? []
  const begun = pem.split('-----BEGIN ').length - 1
  if (found.length === 0 || found.length < begun) {
    throw invalid(name, 'the CA file must hold certificates in PEM form, and nothing else')
  }
  for (const certificate of found) {
    try {
      void new X509Certificate(certificate)
    } catch (error) {
      throw invalid(name, `a CA certificate cannot be read: ${messageOf(error)}`, error)
    }
  }
  return found
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function invalid(name: string, why: string, cause?: unknown): HawserError {
  return new HawserError('config_invalid', `TLS rule for ${JSON.stringify(name)}: ${why}`, { cause })
}
