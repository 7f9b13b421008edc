import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { connectAddress, dialError, formatHostPort, HawserError, raceConnect } from '@hawser/core'
import type { ErrorCode, HostPort } from '@hawser/core'
import type { Finding } from './finding.ts'

/** How long each step may take, and when to stop altogether. */
export interface DiagLimits {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** One step's finding, and what it found for the next one; nothing where it failed. */
export interface Checked<T> {
  readonly finding: Finding
  readonly found: T | undefined
}

/** A name with more addresses is tried at these alone. */
const MAX_ADDRESSES = 8

/** Rejects after the limit; `work` itself goes on and its outcome is dropped. */
async function within<T>(work: Promise<T>, { signal, timeoutMs }: DiagLimits): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new HawserError('dns_timeout', `no answer in ${timeoutMs} ms`)), timeoutMs)
  const onAbort = (): void => late.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** Step 2: does the name of an edge resolve, by the resolver that the connector uses? */
export async function checkDns(edge: HostPort, limits: DiagLimits): Promise<Checked<readonly string[]>> {
  const { host } = edge
  const subject = formatHostPort(edge)
  if (isIP(host) !== 0) {
    return { finding: { step: 'dns', state: 'ok', subject, said: 'is an address, nothing to resolve' }, found: [host] }
  }
  try {
    const found = (await within(lookup(host, { all: true }), limits)).map(({ address }) => address)
    const more = found.length > MAX_ADDRESSES ? `, the first ${MAX_ADDRESSES} are tried` : ''
    const said = `${host} is ${found.join(', ')}${more}`
    return { finding: { step: 'dns', state: 'ok', subject, said }, found: found.slice(0, MAX_ADDRESSES) }
  } catch (thrown) {
    limits.signal.throwIfAborted()
    const { code } = dialError(thrown, host)
    const silent = code === 'dns_timeout'
    const said = silent ? 'the resolver of this machine does not answer' : `${host} does not resolve on this machine`
    const todo = silent
      ? 'Check the resolver (/etc/resolv.conf) and that DNS is let out of this network.'
      : 'Check its spelling in --edge or at the edge (--advertise), or give --edge an address.'
    return { finding: { step: 'dns', state: 'failed', subject, said, todo, code }, found: undefined }
  }
}

/** An address that answered, and how long that took: one round trip. */
export interface Reached {
  readonly ip: string
  readonly ms: number
}

const TCP_ADVICE: Partial<Record<ErrorCode, string>> = {
  connection_refused:
    'Check that `hawser edge` runs there and that this is its --tunnel address (port 7844 by default).',
  connection_timeout: 'A firewall drops the packets, or the address is wrong. Let this machine out to it by TCP.',
  destination_ip_unroutable: 'This machine has no way to the address. Check its network and its routes.',
}

async function reach(ip: string, port: number, limits: DiagLimits): Promise<Reached | HawserError> {
  const startedAt = performance.now()
  try {
    const { socket } = await raceConnect([ip], port, connectAddress, limits)
    socket.destroy()
    return { ip, ms: performance.now() - startedAt }
  } catch (thrown) {
    limits.signal.throwIfAborted()
    return HawserError.from(thrown, 'destination_unavailable')
  }
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  connection_refused: 'refuses connections',
  connection_timeout: 'does not answer',
  destination_ip_unroutable: 'cannot be reached from here',
}

/** Step 3: does anything accept connections at the addresses of an edge? One is enough. */
export async function checkTcp(
  edge: HostPort,
  addresses: readonly string[],
  limits: DiagLimits,
): Promise<Checked<Reached>> {
  const tried = await Promise.all(addresses.map((ip) => reach(ip, edge.port, limits)))
  const said = tried.map((result, at) => {
    const ip = addresses[at] ?? ''
    if (!(result instanceof HawserError)) return `${ip} answers in ${result.ms.toFixed(1)} ms`
    return `${ip} ${REASONS[result.code] ?? result.message}`
  })
  const found = tried.find((result): result is Reached => !(result instanceof HawserError))
  const failure = tried.find((result) => result instanceof HawserError)
  const common = { step: 'tcp', subject: formatHostPort(edge), said: said.join('; ') } as const
  if (found !== undefined) return { finding: { ...common, state: 'ok' }, found }
  const todo = failure === undefined ? undefined : TCP_ADVICE[failure.code]
  return { finding: { ...common, state: 'failed', todo, code: 'edge_unreachable' }, found: undefined }
}
