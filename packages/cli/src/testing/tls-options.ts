import { HawserError, Secret } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import { NoMatch, parseHostMatch } from '@hawser/workers'
import type { HostMatch } from '@hawser/workers'
import type { TlsOptions } from './hawser.ts'

function readMatch(field: string, text: string): HostMatch {
  try {
    return parseHostMatch(text)
  } catch (error) {
    if (!(error instanceof NoMatch)) throw error
    throw new HawserError('options_invalid', `${field}: must be ${error.message}, got ${JSON.stringify(text)}`)
  }
}

/**
 * The rules that a test has for TLS. What is wrong with the PEM text itself is found when the edge takes them.
 *
 * @throws {HawserError} `options_invalid`, naming the option
 */
export function readTlsOptions(options: readonly TlsOptions[]): readonly TlsRule[] {
  return options.map(({ match, ca, cert, key, verify, serverName }, at) => {
    if ((cert === undefined) !== (key === undefined)) {
      throw new HawserError('options_invalid', `tls[${at}]: "cert" and "key" belong together`)
    }
    return {
      ...readMatch(`tls[${at}].match`, match),
      caPem: ca,
      certPem: cert,
      keyPem: key === undefined ? undefined : new Secret(key),
      verify,
      serverName,
    }
  })
}
