import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { webcrypto } from 'node:crypto'
import { Secret } from '@hawser/core'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certPem: string
  readonly keyPem: Secret
}

const KEYS = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
export const DAY_MS = 86_400_000
const CA_DAYS = 3_653
const LEAF_DAYS = 365
/** Clocks of connectors may be behind by this much. */
const BACKDATE_MS = DAY_MS

/** Loaded only where something is issued, which most starts do not need. */
async function loadX509() {
  // The library beneath refuses to load without a metadata polyfill of Reflect. All it would read there is what compiled
  // decorators leave, and there are none: answers of "nothing" are enough.
  const reflect: object & { getMetadata?: unknown } = Reflect
  if (reflect.getMetadata === undefined) {
    const nothing = (): void => {}
    Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing })
  }
  return await import('@peculiar/x509')
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

async function exportKey(key: webcrypto.CryptoKey): Promise<Secret> {
  return new Secret(pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', key)))
}

/**
 * Makes the authority of one edge: it signs that edge's certificate and nothing else.
 *
 * @param now milliseconds since the epoch
 */
export async function createAuthority(edgeId: string, now: number): Promise<KeyPair> {
  const x509 = await loadX509()
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Hawser edge ${edgeId} CA`,
    keys,
    signingAlgorithm: KEYS,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CA_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certPem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) }
}

/**
 * Issues a server certificate for `name`, with a new key.
 *
 * @param now milliseconds since the epoch
 */
export async function issueCertificate(authority: KeyPair, name: string, now: number): Promise<KeyPair> {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certPem)
  const der = createPrivateKey(authority.keyPem.reveal()).export({ format: 'der', type: 'pkcs8' })
  const signingKey = await crypto.subtle.importKey('pkcs8', new Uint8Array(der), KEYS, false, ['sign'])
  const keys = await crypto.subtle.generateKey(KEYS, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: KEYS,
    notBefore: new Date(now - BACKDATE_MS),
    // Nothing outlives the authority that vouches for it.
    notAfter: new Date(Math.min(now + LEAF_DAYS * DAY_MS, issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certPem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) }
}

/** Both in one text, so that one atomic write keeps them together. */
export function formatKeyPair(pair: KeyPair): string {
  return pair.certPem.trimEnd() + '\n' + pair.keyPem.reveal()
}

/** Reads what {@link formatKeyPair} wrote; undefined where it is damaged or the two do not belong together. */
export function parseKeyPair(text: string): KeyPair | undefined {
  const certPem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0]
  const keyPem = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0]
  if (certPem === undefined || keyPem === undefined) return undefined
  try {
    if (!new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))) return undefined
  } catch {
    return undefined
  }
  return { certPem: `${certPem}\n`, keyPem: new Secret(`${keyPem}\n`) }
}

/** Milliseconds since the epoch. */
export function expiryOf(pair: KeyPair): number {
  return new X509Certificate(pair.certPem).validToDate.getTime()
}

/** Whether `pair` was issued by `authority`. */
export function isIssuedBy(pair: KeyPair, authority: KeyPair): boolean {
  return new X509Certificate(pair.certPem).verify(new X509Certificate(authority.certPem).publicKey)
}
