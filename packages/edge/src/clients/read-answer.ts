import type { StopSignal } from '@hawser/core'
import type { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'

/** An answer of the edge's own, and its reason: it sends a tenth of that. */
const MAX_BYTES = 65_536
const HEAD_END = '\r\n\r\n'
const STATUS = /^HTTP\/1\.1 (\d{3}) /
const LENGTH = /\r\ncontent-length: (\d{1,6})\r\n/i

/** Why an edge refused a call, in its own words. */
export interface Refusal {
  readonly code: string
  readonly message: string
}

/** What the bytes so far amount to: a connection, a refusal, or, undefined, not enough yet. */
type Answer = { readonly rest: Buffer } | Refusal | undefined

function read(data: Buffer): Answer {
  const end = data.indexOf(HEAD_END)
  if (end < 0) return data.length > MAX_BYTES ? unreadable() : undefined
  const head = data.toString('latin1', 0, end + HEAD_END.length)
  const body = data.subarray(end + HEAD_END.length)
  const status = STATUS.exec(head)?.[1]
  if (status?.startsWith('2') === true) return { rest: body }
  const length = Number(LENGTH.exec(head)?.[1] ?? 0)
  if (status === undefined || length > MAX_BYTES) return unreadable()
  return body.length < length ? undefined : reasonIn(body.toString('utf8', 0, length), status)
}

function reasonIn(text: string, status: string): Refusal {
  try {
    const { code, message } = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (typeof code === 'string' && typeof message === 'string') return { code, message }
  } catch {
    // Said below.
  }
  return { code: 'destination_unavailable', message: `it answered ${status} and does not say why` }
}

function unreadable(): Refusal {
  return { code: 'destination_unavailable', message: 'what answers there does not speak as an edge does' }
}

/**
 * Reads an edge's answer to a CONNECT, and leaves the stream paused with what came behind it unread.
 *
 * @returns undefined where the connection stands, or why it does not
 * @throws {HawserError} `destination_unavailable` where the stream ends first, `connection_timeout`, the signal's reason
 */
export function readAnswer(
  stream: Duplex,
  { signal, timeoutMs }: { readonly signal: StopSignal; readonly timeoutMs: number },
): Promise<Refusal | undefined> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0)
    const stop = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      stream.pause()
      stream.off('data', onData)
      stream.off('end', onGone)
      stream.off('close', onGone)
    }
    const fail = (reason: HawserError): void => {
      stop()
      reject(reason)
    }
    const onData = (chunk: Buffer): void => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const answer = read(held)
      if (answer === undefined) return
      stop()
      if ('code' in answer) return resolve(answer)
      if (answer.rest.length > 0) stream.unshift(answer.rest)
      return resolve(undefined)
    }
    const onGone = (): void => fail(new HawserError('destination_unavailable', 'the edge hung up before it answered'))
    const onAbort = (): void => fail(HawserError.from(signal.reason, 'connection_aborted'))
    const timer = setTimeout(() => {
      fail(new HawserError('connection_timeout', `no answer of the edge in ${timeoutMs} ms`))
    }, timeoutMs)
    stream.on('data', onData)
    stream.on('end', onGone)
    stream.on('close', onGone)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stream.resume()
    return undefined
  })
}
