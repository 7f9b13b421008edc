import { connectAddress, ERRORS, formatHostPort, HawserError, raceConnect } from '@hawser/core'
import type { ConnectAddress, Dialed, Dialer, DialTarget } from '@hawser/core'

/**
 * Opens connections to exactly these addresses, overlapping as RFC 8305 has it; the first to answer wins. The host of the
 * target serves for messages alone: what it resolved to is not for a Worker to read.
 *
 * @param addresses canonical literals that policy has allowed
 */
export function directDialer(addresses: readonly string[], connectTo: ConnectAddress = connectAddress): Dialer {
  return { dial: (target, signal) => dial(addresses, target, connectTo, signal) }
}

async function dial(
  addresses: readonly string[],
  target: DialTarget,
  connectTo: ConnectAddress,
  signal: AbortSignal,
): Promise<Dialed> {
  const { port, timeoutMs } = target
  const what = formatHostPort(target)
  const limit = new AbortController() // ends this dial: given up, or out of time
  const onAbort = (): void => limit.abort(HawserError.from(signal.reason, 'connection_aborted'))
  const timer = setTimeout(() => {
    limit.abort(new HawserError('connection_timeout', `${what}: no answer in ${timeoutMs} ms`))
  }, timeoutMs)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    const { socket, ip } = await raceConnect(addresses, port, connectTo, limit.signal)
    return { stream: socket, remoteAddress: formatHostPort({ host: ip, port }) }
  } catch (error) {
    if (limit.signal.aborted || !HawserError.is(error)) throw error
    throw new HawserError(error.code, `${what}: ${ERRORS[error.code].summary}`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
