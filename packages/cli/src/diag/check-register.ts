import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { formatHostPort, HawserError } from '@hawser/core'
import type { ErrorCode, HostPort, Logger } from '@hawser/core'
import { connectTunnel } from '@hawser/tunnel'
import type { TunnelToken } from '@hawser/tunnel'
import { hintFor } from '../hints.ts'
import { VERSION } from '../version.ts'
import type { DiagLimits } from './check-addresses.ts'
import type { Finding } from './finding.ts'

const SAID: Partial<Record<ErrorCode, string>> = {
  tunnel_auth_failed: 'the edge does not accept the token: its tunnel was deleted, or the token replaced',
  tunnel_connector_limit: 'the edge knows the token, but the tunnel has as many connectors as it may',
  connection_aborted: 'the edge does not answer the registration',
}
const TODO: Partial<Record<ErrorCode, string>> = {
  tunnel_connector_limit: 'Stop a connector of this tunnel: hawser tunnel info <tunnel> lists them.',
  connection_aborted: 'TLS works and the edge says nothing more: see its log, and start it again.',
}

/**
 * Step 6: does the edge accept the token? There is only one way to know: to register. It is done as a connector of weight 0,
 * which gets no connection while another one can serve, that refuses what it gets all the same, and it leaves at once.
 */
export async function checkRegister(
  edge: HostPort,
  token: TunnelToken,
  { signal, timeoutMs }: DiagLimits,
  logger: Logger,
): Promise<Finding> {
  const common = { step: 'register', subject: formatHostPort(edge) } as const
  const connector = {
    id: randomUUID(),
    version: `${VERSION} (diag)`, // which the edge's log tells
    hostname: `${hostname()} (diag)`,
    platform: `${process.platform}-${process.arch}`,
  }
  const refusal = new HawserError('destination_unavailable', 'this is no connector, only a check of one')
  const startedAt = performance.now()
  try {
    await using connection = await connectTunnel({
      edge,
      token,
      connector,
      weight: 0,
      dial: () => Promise.reject(refusal),
      onConfigure: () => undefined, // taken and not followed: an edge whose settings are refused warns of it
      logger,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    const ms = performance.now() - startedAt
    await connection.close(0)
    const said = `edge ${connection.edgeId} accepts the token, ${ms.toFixed(0)} ms after the first packet`
    return { ...common, state: 'ok', said }
  } catch (error) {
    signal.throwIfAborted()
    const failure = HawserError.from(error, 'edge_unreachable')
    const { code, message } = failure
    const todo = TODO[code] ?? hintFor(failure, 'hawser connector run')
    return { ...common, state: 'failed', said: SAID[code] ?? message, todo, code }
  }
}
