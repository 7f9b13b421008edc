import { invalidType, notImplemented } from './node-errors.ts'
import type { TlsOptions } from './secure-context.ts'

/** S-289: without these a connection is another one than was meant, so they cannot be passed over. */
const NOT_IMPLEMENTED = [
  'ALPNProtocols',
  'pskCallback',
  'minDHSize',
  'enableTrace',
  'isServer',
  'server',
  'SNICallback',
  'requestOCSP',
] as const

/**
 * Accepted, without effect, and with a warning: they would say whom to trust and how, which is the host's to say. Each
 * certificate is verified all the same.
 */
const HOSTS_AFFAIR = [
  'ca',
  'cert',
  'key',
  'pfx',
  'crl',
  'ciphers',
  'sigalgs',
  'ecdhCurve',
  'secureProtocol',
  'minVersion',
  'maxVersion',
] as const

const warned = new Set<string>()

function withoutEffect(options: TlsOptions): string[] {
  const found: string[] = HOSTS_AFFAIR.filter((name) => options[name] !== undefined && options[name] !== null)
  if (options['rejectUnauthorized'] === false) found.push('rejectUnauthorized: false')
  return found
}

/** Once for each, in an isolate's life. */
function warn(names: readonly string[]): void {
  const news = names.filter((name) => !warned.has(name))
  if (news.length === 0) return
  for (const name of news) warned.add(name)
  const list = news.map((name) => `"${name}"`).join(', ')
  // oxlint-disable-next-line no-console -- a Worker's console is its log
  console.warn(
    `node:tls: ${list} in code has no effect: the host verifies the certificate of every TLS connection, ` +
      'as "tls" in hawser.jsonc says for its target, and with public CAs where that says nothing',
  )
}

/** @throws {TypeError} and others, with Node's codes, for what cannot be done or is no option */
export function checkTlsOptions(options: TlsOptions): void {
  for (const name of NOT_IMPLEMENTED) {
    const value = options[name]
    if (value !== undefined && value !== null && value !== false) throw notImplemented(`options.${name}`)
  }
  const { checkServerIdentity: check } = options
  if (check !== undefined && typeof check !== 'function') {
    throw invalidType('"options.checkServerIdentity" property', 'of type function', check)
  }
  warn(withoutEffect(options))
}

/** SNI and the name to verify; an empty one is as good as none, as in Node.js. */
export function servernameOf({ servername }: TlsOptions): string | undefined {
  return typeof servername === 'string' && servername !== '' ? servername : undefined
}
