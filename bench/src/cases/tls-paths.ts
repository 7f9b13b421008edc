import { join } from 'node:path'
import { createAuthority } from '@hawser/testkit'
import type { Span } from '../load/connections.ts'
import { LOOPBACK } from '../ports.ts'
import { startRole } from '../role.ts'
import type { HawserDoorOperations } from '../roles/hawser-door.ts'
import type { TlsLoadOperations } from '../roles/tls-load.ts'
import type { TlsTargetOperations } from '../roles/tls-target.ts'
import type { Scope } from '../scope.ts'

/** The same exchange over five paths; each gives microseconds for connect, exchange and close, one after the other. */
export interface TlsPaths {
  /** Through edge, tunnel and connector, where the edge speaks TLS with the target or does not. */
  edge(secure: boolean, span: Span): Promise<number>
  /** From a client of node:tls, through edge, tunnel and connector, to which it is as if in clear. */
  through(secure: true, span: Span): Promise<number>
  /** From a client of node:tls or node:net. */
  direct(secure: boolean, span: Span): Promise<number>
  /** How many of the last connections under TLS resumed a session: at the edge, and at the client. */
  resumed(): Promise<{ readonly edge: number; readonly direct: number }>
}

/** @param sessions whether edge and client resume TLS sessions */
export async function openTlsPaths(scope: Scope, sessions: boolean): Promise<TlsPaths> {
  const authority = await createAuthority()
  const { caPem } = authority
  const { certPem: cert, keyPem: key } = await authority.issue({ names: [LOOPBACK] })
  const target = await startRole<TlsTargetOperations>(scope, 'tls-target')
  const ports = await target.call('listen', { cert, key })
  const hawser = await startRole<HawserDoorOperations>(scope, 'hawser-door')
  const door = await hawser.call('start', { dataDir: join(scope.folder, 'edge'), sessions, caPem })
  const load = await startRole<TlsLoadOperations>(scope, 'tls-load')
  let resumedDirect = 0
  return {
    edge: (secure, span) =>
      load.call('door', { ...span, door, port: secure ? ports.secure : ports.clear, secure, sessions }),
    through: (_secure, span) =>
      load.call('door', { ...span, door, port: ports.secure, secure: false, sessions, caPem }),
    async direct(secure, span) {
      const port = secure ? ports.secure : ports.clear
      const { micros, resumed } = await load.call('direct', {
        ...span,
        port,
        sessions,
        caPem: secure ? caPem : undefined,
      })
      if (secure) resumedDirect = resumed
      return micros
    },
    resumed: async () => ({ edge: (await hawser.call('secured')).resumed, direct: resumedDirect }),
  }
}
