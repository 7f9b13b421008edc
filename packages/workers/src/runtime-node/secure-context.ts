import { nativeTls } from './native-modules.ts'
import { codedError } from './node-errors.ts'

/** What was asked for; trust and certificates are the host's. */
export type TlsOptions = Readonly<Record<string, unknown>>

/** Takes everything that Node's does, to be asked later what it was. */
export class SecureContext {
  /** There in Node.js, where it wraps OpenSSL's. */
  readonly context: object = {}
  readonly #options: TlsOptions

  constructor(options: TlsOptions = {}) {
    this.#options = options
  }

  /** Options of the connection itself win. */
  static merge(options: TlsOptions): TlsOptions {
    const { secureContext } = options
    if (secureContext === undefined || secureContext === null) return options
    if (secureContext instanceof SecureContext) return { ...secureContext.#options, ...options }
    throw codedError(TypeError, 'ERR_TLS_INVALID_CONTEXT', 'options.secureContext must be a SecureContext')
  }
}

export function createSecureContext(options?: TlsOptions): SecureContext {
  return new SecureContext(options)
}

/**
 * In the place of a certificate: which one it was, only the edge knows. Everything that compares fields of it fails.
 */
export class VerifiedPeer {
  readonly #name: string

  constructor(name: string) {
    this.#name = name.toLowerCase()
  }

  /** Whether this is what the edge verified, by the rule for its target. */
  static verifiedFor(certificate: unknown, name: string): boolean {
    return certificate instanceof VerifiedPeer && certificate.#name === name.toLowerCase()
  }
}

/** What the `checkServerIdentity` of a driver has against the verified connection to `name`; one that throws is against it. */
export function checkIdentity({ checkServerIdentity: check }: TlsOptions, name: string): Error | undefined {
  if (typeof check !== 'function') return undefined
  try {
    // It may look for more than the edge has: then it finds nothing here, and that is a no.
    return (check as (name: string, certificate: object) => Error | undefined)(name, new VerifiedPeer(name))
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Node's own check; of a connection through the edge it repeats the edge's verdict. */
export function checkServerIdentity(name: string, certificate: object): Error | undefined {
  if (VerifiedPeer.verifiedFor(certificate, name)) return undefined
  return nativeTls.checkServerIdentity(name, certificate as Parameters<typeof nativeTls.checkServerIdentity>[1])
}
