import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import type * as X509 from '@peculiar/x509'

/** A certificate with its private key, both PEM. */
export interface TestCertificate {
  readonly certPem: string
  readonly keyPem: string
}

export interface CertificateOptions {
  /** DNS names and IP literals the certificate is for. The first is its subject. @default ['localhost', '127.0.0.1'] */
  readonly names?: readonly string[] | undefined
  /** @default an hour ago */
  readonly notBefore?: Date | undefined
  /** In the past for an expired certificate. @default in a day */
  readonly notAfter?: Date | undefined
  /** Of a client certificate where `client`. @default 'server' */
  readonly usage?: 'server' | 'client' | undefined
}

/** A certificate authority that lives as long as the test. */
export interface TestAuthority {
  readonly caPem: string
  issue(options?: CertificateOptions): Promise<TestCertificate>
}

const KEYS = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Loaded when needed, since most tests need none. */
function loadX509(): Promise<typeof X509> {
  // The library beneath wants a metadata polyfill of Reflect and refuses to load without one. It only asks it for what
  // compiled decorators would have left, and there are none: answers of "nothing" are all it needs.
  if (!('getMetadata' in Reflect)) {
    const nothing = (): void => {}
    Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing })
  }
  return import('@peculiar/x509')
}

/** Makes a CA. Each call makes another one, so two of them do not trust each other's certificates. */
export async function createAuthority(name = 'Hawser test CA'): Promise<TestAuthority> {
  const x509 = await loadX509()
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: KEYS,
    notBefore: new Date(Date.now() - DAY_MS * 2),
    notAfter: new Date(Date.now() + DAY_MS * 2),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    caPem: ca.toString('pem'),
    issue: (options) => issue(ca.subject, keys, options ?? {}),
  }
}

async function issue(
  issuer: string,
  authority: webcrypto.CryptoKeyPair,
  options: CertificateOptions,
): Promise<TestCertificate> {
  const x509 = await loadX509()
  const names = options.names ?? ['localhost', '127.0.0.1']
  const usage = options.usage === 'client' ? 'clientAuth' : 'serverAuth'
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${names[0] ?? 'nobody'}`,
    issuer,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: KEYS,
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { certPem: certificate.toString('pem'), keyPem: pem('PRIVATE KEY', key) }
}

function pem(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`
}
