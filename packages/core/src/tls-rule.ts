import type { Secret } from './secret.ts'

/** `verify_full`: chain and name. `verify_ca`: the chain alone. `disabled`: encrypt and believe anybody. (V-010) */
export type TlsVerification = 'verify_full' | 'verify_ca' | 'disabled'

/** How an edge speaks TLS to some targets: a matter of the host, never of the Worker's code. */
export interface TlsRule {
  /** A name, an address, or `*.` and a name for one label before it; lower case, no brackets. */
  readonly host: string
  /** Any port unless given. */
  readonly port?: number | undefined
  /** Trusted in place of the public CAs. PEM, one certificate or more. */
  readonly caPem?: string | undefined
  /** What this side shows of itself (mTLS): a certificate chain and its key, PEM. Both or neither. */
  readonly certPem?: string | undefined
  readonly keyPem?: Secret | undefined
  /** @default 'verify_full' */
  readonly verify?: TlsVerification | undefined
  /** Sent as SNI and checked in the certificate, in place of the name the Worker used. */
  readonly serverName?: string | undefined
  /** @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}
