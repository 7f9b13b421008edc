import { HawserError } from '@hawser/core'
import type { ScheduledResult } from './hawser.ts'

/** By which Miniflare is told of the host that `fetch()` cannot set. */
const ORIGINAL_URL = 'MF-Original-URL'
const SCHEDULED_PATH = '/cdn-cgi/handler/scheduled'

function textOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input
  return input instanceof URL ? input.href : input.url
}

/**
 * Sends a request to the Worker at `url`, whatever host `input` names: the Worker sees that one. Redirects are not followed:
 * they are the answer.
 */
export async function fetchWorker(
  url: string,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const wanted = new URL(textOf(input), url)
  const place = `${url}${wanted.pathname}${wanted.search}`
  const redirect = init?.redirect ?? 'manual'
  const request =
    input instanceof Request
      ? new Request(new Request(place, input), { ...init, redirect })
      : new Request(place, { ...init, redirect })
  if (wanted.origin !== url) request.headers.set(ORIGINAL_URL, wanted.href)
  return fetch(request)
}

/**
 * Runs the Worker's `scheduled()`.
 *
 * @throws {HawserError} `runtime_failed` where it cannot be told how that went
 */
export async function runScheduled(url: string, cron: string, time: Date | undefined): Promise<ScheduledResult> {
  const query = new URLSearchParams({ cron, format: 'json' })
  if (time !== undefined) query.set('time', String(time.getTime()))
  const response = await fetch(`${url}${SCHEDULED_PATH}?${query.toString()}`)
  const text = await response.text()
  try {
    const { outcome, noRetry } = JSON.parse(text) as Partial<ScheduledResult>
    if (typeof outcome === 'string') return { outcome, noRetry: noRetry ?? false }
  } catch {
    // what it says instead is the message
  }
  throw new HawserError('runtime_failed', `scheduled(${JSON.stringify(cron)}): ${response.status} ${text}`)
}
