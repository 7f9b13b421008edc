import { execFileSync } from 'node:child_process'
import { createAuthority } from '@hawser/testkit'
import type { TestCertificate } from '@hawser/testkit'

/** The certificates that peers show, by what is the matter with them. */
export type CertificateKind = 'good' | 'wrong-name' | 'expired' | 'untrusted' | 'self-signed'

export interface Certificates {
  /** The only CA that the hosts trust. */
  readonly caPem: string
  readonly of: Readonly<Record<CertificateKind, TestCertificate>>
}

const NAMES = ['localhost', '127.0.0.1', '::1']
const DAY_MS = 86_400_000

/** Signed by its own key: what a server has before anyone configured it. The test kit's CAs sign only others. */
function selfSigned(): TestCertificate {
  const names = ['DNS:localhost', 'IP:127.0.0.1'].join(',')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '-', '-out', '-']
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names}`, '-days', '1']
  const stdout = execFileSync('openssl', ['req', '-x509', ...key, ...subject], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const block = (label: RegExp): string => label.exec(stdout)?.[0] ?? ''
  return {
    keyPem: block(/-----BEGIN (EC )?PRIVATE KEY-----[^]*?-----END (EC )?PRIVATE KEY-----\n/),
    certPem: block(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/),
  }
}

export async function makeCertificates(): Promise<Certificates> {
  const [authority, stranger] = await Promise.all([createAuthority(), createAuthority('Hawser test stranger')])
  const past = { notBefore: new Date(Date.now() - 1.5 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }
  return {
    caPem: authority.caPem,
    of: {
      good: await authority.issue({ names: NAMES }),
      'wrong-name': await authority.issue({ names: ['wrong.example'] }),
      expired: await authority.issue({ names: NAMES, ...past }),
      untrusted: await stranger.issue({ names: NAMES }),
      'self-signed': selfSigned(),
    },
  }
}
