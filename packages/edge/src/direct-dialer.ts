import { connectAddress, ERRORS, formatHostPort, HawserError, raceConnect } from '@hawser/core'
import type { ConnectAddress, Dialed, Dialer, DialTarget, StopSignal } from '@hawser/core'

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
  signal: StopSignal,
): Promise<Dialed> {
  const { port, timeoutMs } = target
  if (signal.aborted) throw HawserError.from(signal.reason, 'connection_aborted')
  try {
    const { socket, ip } = await raceConnect(addresses, port, connectTo, { signal, timeoutMs })
    return { stream: socket, remoteAddress: formatHostPort({ host: ip, port }) }
  } catch (error) {
    if (signal.aborted || !HawserError.is(error)) throw HawserError.from(error, 'connection_aborted')
    throw new HawserError(error.code, `${formatHostPort(target)}: ${ERRORS[error.code].summary}`, { cause: error })
  }
}
