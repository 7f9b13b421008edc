import type { Duplex } from 'node:stream'
import { HawserError, resetDialed } from '@hawser/core'
import type { Probe } from '@hawser/core'
import type { TargetDialer } from './dial-target.ts'

/** A status line is shorter. */
const MAX_LINE_BYTES = 1_024

/**
 * Asks one target once, over the very dialer that flows use: same names, same rules.
 *
 * @throws {HawserError} why the target would not serve: a code of V-040
 */
export async function askTarget(probe: Probe, dial: TargetDialer, signal: AbortSignal): Promise<void> {
  const { host, port, timeoutMs, type } = probe
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort(new HawserError('connection_timeout', `${host}:${port}: no answer in ${timeoutMs} ms`))
  }, timeoutMs)
  const either = AbortSignal.any([signal, late.signal])
  try {
    const dialed = await dial({ host, port, flowId: 'probe', timeoutMs }, either)
    try {
      if (type === 'http') await askHttp(probe, dialed.stream, either)
    } finally {
      resetDialed(dialed)
    }
  } catch (error) {
    if (late.signal.aborted) throw late.signal.reason
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Sends a request and reads as far as the status. */
function askHttp({ host, port, path }: Probe, stream: Duplex, signal: AbortSignal): Promise<void> {
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new Promise((resolve, reject) => {
    let line = ''
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    stream.once('error', reject)
    const onCut = (): void => reject(new HawserError('http_protocol_error', `${authority}: the answer was cut off`))
    stream.once('end', onCut)
    stream.once('close', onCut)
    stream.on('data', (chunk: Buffer) => {
      line += chunk.toString('latin1', 0, MAX_LINE_BYTES)
      const error = judge(line, authority)
      if (error === 'incomplete') return
      if (error === undefined) resolve()
      else reject(error)
    })
    stream.write(`GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\nUser-Agent: hawser-probe\r\n\r\n`)
  })
}

function judge(text: string, authority: string): HawserError | 'incomplete' | undefined {
  const status = /^HTTP\/1\.[01] (\d{3})[ \r]/.exec(text)?.[1]
  if (status !== undefined) {
    if (status >= '200' && status < '400') return undefined
    return new HawserError('destination_unavailable', `${authority}: the answer is ${status}`)
  }
  if (text.length < MAX_LINE_BYTES && !text.includes('\n')) return 'incomplete'
  return new HawserError('http_protocol_error', `${authority}: the answer is no HTTP/1.1`)
}
