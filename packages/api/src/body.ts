import type { z } from 'zod'
import { API_ERRORS, ApiRefusal } from './errors.ts'
import type { ApiContext } from './resource.ts'

/** No request of the resources served here comes near it. */
export const MAX_BODY_BYTES = 64 * 1024

/** As many problems of one body as a person wants to read at once. */
const MAX_PROBLEMS = 5

/**
 * The JSON body of a request, checked. Keys the schema does not know are dropped, as the vendor does: its clients send
 * more than they need.
 *
 * @throws {ApiRefusal} 400, 413 or 415; the message names fields and never quotes values, which may be secrets
 */
export async function readBody<Schema extends z.ZodType>(c: ApiContext, schema: Schema): Promise<z.output<Schema>> {
  checkType(c.req.header('content-type'))
  const value = parse(await readText(c.req.raw.body))
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new ApiRefusal(API_ERRORS.badRequest, problems.join('; '))
}

/**
 * JSON by its name, or by one of the names under which the vendor's own clients send it: `text/plain`, or none at all.
 * Forms, files and other encodings are somebody who is in the wrong place.
 */
function checkType(header: string | undefined): void {
  if (header === undefined) return
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase())
  const isJson = /^(application\/(json|[\w.-]+\+json)|text\/plain)$/.test(type)
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  if (!isJson || (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))) {
    throw new ApiRefusal(API_ERRORS.badType)
  }
}

/** Counts as it reads: a length announced is a length that may be wrong. */
async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_BODY_BYTES) throw new ApiRefusal(API_ERRORS.tooLarge)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof ApiRefusal) throw error
    throw new ApiRefusal(API_ERRORS.badRequest, 'The request body ended early') // the client went away: no fault of ours
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new ApiRefusal(API_ERRORS.badType)
  }
}

/** The parser's own message quotes the text around the fault, which may be a secret: say no more than that there is one. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new ApiRefusal(API_ERRORS.badRequest, 'The request body is not valid JSON')
  }
}
