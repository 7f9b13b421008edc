/** Targets that speak TLS, for tests. */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { TLSSocketOptions } from 'node:tls'
import { createAuthority } from '@hawser/testkit'
import type { CertificateOptions, TestAuthority } from '@hawser/testkit'
import { createAuthority as createSelfSigned } from '../storage/certificates.ts'
import { TlsClient } from './tls-client.ts'
import type { TlsRequest } from './tls-client.ts'

export const NAME = 'db.internal'
export const PORT = 5432

/** What a server shows of itself. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

let shared: Promise<TestAuthority> | undefined

/** One for the whole file: keys are not free, and no test minds. */
export function authority(): Promise<TestAuthority> {
  return (shared ??= createAuthority())
}

export async function issue(options: CertificateOptions = {}): Promise<Identity> {
  const { certPem, keyPem } = await (await authority()).issue({ names: [NAME], ...options })
  return { cert: certPem, key: keyPem }
}

export function issueExpired(): Promise<Identity> {
  return issue({ notBefore: new Date(0), notAfter: new Date(Date.now() - 86_400_000) })
}

export async function issueSelfSigned(): Promise<Identity> {
  const { certPem, keyPem } = await createSelfSigned(NAME, Date.now())
  return { cert: certPem, key: keyPem.reveal() }
}

/** The server's side of a handshake over what was dialled. */
export function serveTls(raw: Duplex, identity: Identity, options: TLSSocketOptions = {}): TLSSocket {
  const server = new TLSSocket(raw, { isServer: true, ...identity, ...options })
  server.on('error', () => {})
  return server
}

/** A client that trusts the authority of these tests, or what `options` say. */
export async function client(options: Partial<ConstructorParameters<typeof TlsClient>[0]> = {}): Promise<TlsClient> {
  const trust = createSecureContext({ ca: (await authority()).caPem, minVersion: 'TLSv1.2' })
  return new TlsClient({ trust, ...options })
}

export function request(options: Partial<TlsRequest> = {}): TlsRequest {
  return { host: NAME, port: PORT, timeoutMs: 5_000, signal: new AbortController().signal, ...options }
}

/** Everything that arrives, as text. */
export async function readAll(stream: Duplex): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  if (!stream.readableEnded) await once(stream, 'end')
  return text
}
