import type { ApiError } from './errors.ts'
import type { PageInfo } from './paging.ts'
import type { ApiContext } from './resource.ts'

/** A success in the vendor's envelope. `messages` stays empty: its clients disagree on what an entry looks like. */
export function answer(c: ApiContext, result: unknown, page?: PageInfo): Response {
  const info = page === undefined ? {} : { result_info: page }
  return c.json({ success: true, errors: [], messages: [], result, ...info })
}

/** A failure in the vendor's envelope, as text of a body: also for answers given before there is a context. */
export function failureBody(error: ApiError): string {
  const errors = [{ code: error.code, message: error.message }]
  return JSON.stringify({ success: false, errors, messages: [], result: null })
}

/** A failure in the vendor's envelope. */
export function failure(error: ApiError): Response {
  return new Response(failureBody(error), {
    status: error.status,
    // Without a charset: cloudflared reads errors of exactly this type alone.
    headers: { 'content-type': 'application/json', ...SAFETY_HEADERS, ...error.headers },
  })
}

/** On every answer: tokens pass through here, and no browser should keep, guess at or frame one. */
export const SAFETY_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const
