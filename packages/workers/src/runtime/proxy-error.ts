import type { FlowFailure } from './doors.ts'
import type { Failures } from './failures.ts'

/** An error whose text reads `ProxyError: <code>` (V-039), with the code, and the flow's id where there is one. */
export function proxyError({ code, message, flow }: FlowFailure): Error {
  return Object.assign(new Error(`ProxyError: ${code}`, { cause: new Error(message) }), { code, flow })
}

/** How a binding words its failures. */
export const PROXY_FAILURES: Failures = { opening: proxyError, upgrading: proxyError, rejectOrphans: true }
