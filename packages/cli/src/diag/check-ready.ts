import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import type { DiagLimits } from './check-addresses.ts'
import type { Finding } from './finding.ts'

const NOT_OURS = 'Give the address of --metrics of `hawser connector run`.'
/** More than any answer of ours. */
const MAX_BYTES = 4096

interface Ready {
  readonly readyConnections?: unknown
  readonly connectorId?: unknown
}

async function readShort(response: Response): Promise<Ready> {
  const bytes: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES) throw new HawserError('http_protocol_error', 'the answer is too long')
    bytes.push(chunk)
  }
  return JSON.parse(Buffer.concat(bytes).toString('utf8')) as Ready
}

/** Whether a connector that is running says that it is connected, on its metrics port. */
export async function checkReady(metrics: HostPort, { signal, timeoutMs }: DiagLimits): Promise<Finding> {
  const subject = `http://${formatHostPort(metrics)}/ready`
  const common = { step: 'ready', subject } as const
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const response = await fetch(subject, { signal: limited, redirect: 'error', headers: { connection: 'close' } })
    const { readyConnections: count, connectorId } = await readShort(response)
    if (typeof count !== 'number' || typeof connectorId !== 'string') throw new Error('no connector')
    const plural = count === 1 ? 'connection' : 'connections'
    const said = `connector ${connectorId} has ${count} ${plural} to edges`
    if (response.status === 200) return { ...common, state: 'ok', said }
    const todo = 'The steps above say why a new one could not connect; its own log says why it does not.'
    return {
      ...common,
      state: 'failed',
      said: `${said}: it carries nothing new`,
      todo,
      code: 'destination_unavailable',
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && error.name === 'TimeoutError') {
      const said = `no answer in ${timeoutMs} ms`
      return { ...common, state: 'failed', said, todo: 'The connector hangs: see its log.', code: 'connection_timeout' }
    }
    // What fetch() throws hides the reason in its cause.
    const refused = error instanceof TypeError && error.cause !== undefined
    const said = refused ? 'nothing answers there' : 'what answers there is no connector of Hawser'
    const todo = refused ? `Start the connector with --metrics. ${NOT_OURS}` : NOT_OURS
    return { ...common, state: 'failed', said, todo, code: 'destination_unavailable' }
  }
}
