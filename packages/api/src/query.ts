import { z } from 'zod'
import { API_ERRORS, ApiRefusal } from './errors.ts'
import type { ApiContext } from './resource.ts'

/** A filter that is known and not applied would make a list that looks right and is not. */
export const unsupported = z.never({ error: 'not supported' }).optional()

/** Only what is deleted, or only what is not. The vendor's lists hold both by default, and its own commands show both alike. */
export const isDeleted = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')

/** A flag in a query. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

/**
 * The query of a request, checked. Keys that the schema does not know are dropped, as those of a body are.
 *
 * @throws {ApiRefusal} 400, naming each key that is wrong
 */
export function readQuery<Schema extends z.ZodType>(c: ApiContext, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(c.req.query())
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new ApiRefusal(API_ERRORS.badRequest, problems.join('; '))
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * An id in the path of a request, in lower case.
 *
 * @throws {ApiRefusal} 404 for what cannot be one
 */
export function idIn(c: ApiContext, parameter: string): string {
  const text = c.req.param(parameter) ?? ''
  if (!UUID.test(text)) throw new ApiRefusal(API_ERRORS.noRoute)
  return text.toLowerCase()
}
