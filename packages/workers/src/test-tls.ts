/** TLS servers for tests. */
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { createAuthority } from '@hawser/testkit'
import type { CertificateOptions } from '@hawser/testkit'
import { startTarget } from './test-site.ts'
import type { Target } from './test-site.ts'

/** A target, and the CA its certificate is of. */
export interface TlsTarget extends Target {
  readonly ca: string
  /** Everything that arrived in the clear, as Latin-1. */
  readonly clear: string[]
  /** SNI of each handshake that was completed. */
  readonly names: (string | false | null)[]
}

export interface TlsTargetOptions {
  readonly certificate?: CertificateOptions | undefined
  /** Speaks in clear until it calls `upgrade`; without it, TLS comes first. */
  readonly before?: ((socket: Socket, upgrade: () => void) => void) | undefined
}

/** Serves each connection once its handshake is complete. */
export async function startTlsTarget(
  serve: (socket: TLSSocket) => void,
  { certificate, before }: TlsTargetOptions = {},
): Promise<TlsTarget> {
  const authority = await createAuthority()
  const { certPem: cert, keyPem: key } = await authority.issue(certificate)
  const secureContext = createSecureContext({ cert, key })
  const clear: string[] = []
  const names: TlsTarget['names'] = []
  const target = await startTarget((socket) => {
    const upgrade = (): void => {
      socket.removeAllListeners('data')
      const tls = new TLSSocket(socket, { isServer: true, secureContext })
      tls.on('error', () => {})
      tls.on('secure', () => {
        names.push((tls as TLSSocket & { servername?: string | false | null }).servername ?? null)
        serve(tls)
      })
    }
    if (before === undefined) return upgrade()
    socket.on('data', (chunk: Buffer) => clear.push(chunk.toString('latin1')))
    return before(socket, upgrade)
  })
  return { ...target, ca: authority.caPem, clear, names }
}

/** What a server says and awaits before TLS; `after` follows its agreement at once, in clear. */
export function starttlsServer(after = ''): TlsTargetOptions['before'] {
  return (socket, upgrade) => {
    socket.write('220 ready\r\n')
    socket.on('data', (chunk: Buffer) => {
      if (!chunk.toString().endsWith('STARTTLS\r\n')) return
      socket.write(`220 go ahead\r\n${after}`)
      upgrade()
    })
  }
}

/**
 * Source of `agree(socket)`, which leads a socket to the point where the server awaits a handshake. Reads the replies
 * exactly, so that what follows them stays unread.
 */
export const AGREE = `
  const readText = async (socket, length) => {
    const reader = socket.readable.getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(length), { min: length })
    reader.releaseLock()
    return new TextDecoder().decode(value)
  }
  const agree = async (socket) => {
    await readText(socket, 11)
    const writer = socket.writable.getWriter()
    await writer.write(new TextEncoder().encode('STARTTLS\\r\\n'))
    writer.releaseLock()
    await readText(socket, 14)
    return socket
  }`
