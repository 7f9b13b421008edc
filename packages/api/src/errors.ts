import { HawserError } from '@hawser/core'
import type { ErrorCode } from '@hawser/core'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** An error as clients of the vendor's API know it. Clients switch on `code`, some on the status alone. */
export interface ApiError {
  readonly status: ContentfulStatusCode
  /** The vendor's number where it documents one. */
  readonly code: number
  /** For people. Never holds a value of the request: it may be a secret. */
  readonly message: string
  /** Besides those of every answer. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** How to tell an error of the directory; its own sentence takes the place of `message` where that is empty. */
export type ErrorAnswers = Readonly<Partial<Record<ErrorCode, ApiError>>>

/** A client that meets 401 or 409 may repeat the call at once, several times; this stops the vendor's SDK. */
const FINAL = { 'x-should-retry': 'false' } as const

/**
 * Codes common to all resources. 7003, 9106, 9109, 10000 and 10405 are the vendor's; where it documents none, the code is
 * 10000 plus the status, in the manner of its 10405.
 */
export const API_ERRORS = {
  noCredentials: {
    status: 401,
    code: 9106,
    message: 'Missing Authorization header: expected "Authorization: Bearer <API token>"',
    headers: { 'www-authenticate': 'Bearer', ...FINAL },
  },
  badToken: {
    status: 401,
    code: 10_000,
    message: 'Authentication error',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"', ...FINAL },
  },
  otherAccount: { status: 403, code: 9109, message: 'Unauthorized to access requested resource' },
  noRoute: { status: 404, code: 7003, message: 'No such route, or an object identifier in it is invalid' },
  noMethod: { status: 405, code: 10_405, message: 'Method not allowed' },
  badRequest: { status: 400, code: 10_400, message: '' },
  tooLarge: {
    status: 413,
    code: 10_413,
    message: 'The request body is too large',
    headers: { connection: 'close' },
  },
  badType: {
    status: 415,
    code: 10_415,
    message: 'The request body must be JSON in UTF-8, with Content-Type: application/json',
  },
  conflict: { status: 409, code: 10_409, message: '', headers: FINAL },
  storage: {
    status: 507, // RFC 4918 section 11.5
    code: 10_507,
    message: 'storage_failed: the edge could not use its data directory, as when the disk is full; its log says more',
    headers: FINAL, // only a person can make room
  },
  internal: { status: 500, code: 10_500, message: 'Internal error: the log of the edge says more' },
} as const satisfies Record<string, ApiError>

/** A refusal that a step of the API decided on itself. */
export class ApiRefusal extends HawserError {
  readonly answer: ApiError

  /** @param message in place of the answer's own; required where that is empty */
  constructor(answer: ApiError, message: string = answer.message) {
    super(codeOf(answer.status), message)
    this.answer = { ...answer, message }
  }
}

/**
 * What to answer for anything thrown. Only errors that are the caller's own show their message; whatever else went wrong
 * may hold paths, queries or secrets and belongs in the log.
 *
 * @param answers those of the resource at hand
 */
export function answerFor(error: unknown, answers: ErrorAnswers): ApiError {
  if (error instanceof ApiRefusal) return error.answer
  if (!HawserError.is(error)) return API_ERRORS.internal
  const answer = answers[error.code] ?? COMMON[error.code] ?? API_ERRORS.internal
  return answer.message === '' ? { ...answer, message: error.message } : answer
}

/** What every resource tells alike unless it says otherwise. */
const COMMON: ErrorAnswers = {
  not_found: API_ERRORS.noRoute,
  conflict: API_ERRORS.conflict,
  options_invalid: API_ERRORS.badRequest,
  unauthorized: API_ERRORS.badToken,
  storage_failed: API_ERRORS.storage,
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'unauthorized'
  if (status === 404 || status === 405) return 'not_found'
  return status === 409 ? 'conflict' : 'options_invalid'
}
