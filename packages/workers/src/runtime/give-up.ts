import { Connection } from './connection.ts'
import type { ConnectionPlan } from './connection.ts'
import { proxyError } from './proxy-error.ts'
import type { BindingConnectOptions } from './socket-options.ts'

/** Until the connection is open. */
function limitOpening(connection: Connection, timeoutMs: number): void {
  const timer = setTimeout(() => {
    const message = `the connection was not open within ${timeoutMs} ms`
    connection.abort(proxyError({ code: 'connection_timeout', message }))
  }, timeoutMs)
  const stop = (): void => clearTimeout(timer)
  connection.opened.then(stop, stop)
}

/** As long as the connection lasts. */
function followSignal(connection: Connection, signal: AbortSignal): void {
  const abort = (): void => connection.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  connection.onEnd(() => signal.removeEventListener('abort', abort))
}

/** Opens a connection that its caller may give up; nothing is sent if that has happened already. */
export function openLimited(
  plan: ConnectionPlan,
  { secureTransport, signal, timeoutMs }: BindingConnectOptions,
): Connection {
  if (signal?.aborted === true) return Connection.failed(plan, secureTransport, signal.reason)
  const connection = Connection.open(plan, secureTransport)
  if (timeoutMs !== undefined) limitOpening(connection, timeoutMs)
  if (signal !== undefined) followSignal(connection, signal)
  return connection
}
