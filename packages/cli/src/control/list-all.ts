import { HawserError } from '@hawser/core'
import type { ApiClient } from './api-client.ts'

/** What every object of the API has. */
export interface Row {
  readonly id: string
}

/** An API that never answers an empty page must not keep a command for ever. */
const MAX_PAGES = 1_000

/** @param what the answer should have been: `a list of tunnels` */
export function malformed(what: string): HawserError {
  return new HawserError('http_protocol_error', `the API's answer is not ${what}`)
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
}

/**
 * Every page of a list, up to the empty one that ends it.
 *
 * @param query without what is undefined
 * @param what it is a list of, for the message
 * @throws {HawserError} as `ApiClient.call`, and `http_protocol_error`
 */
export async function listAll(
  api: ApiClient,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  what: string,
): Promise<Row[]> {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as [string, string]],
  )
  const found: Row[] = []
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const rows = await api.call('GET', `${path}?${new URLSearchParams([...given, ['page', String(page)]]).toString()}`)
    if (!Array.isArray(rows) || !rows.every(isRow)) throw malformed(what)
    if (rows.length === 0) return found
    found.push(...rows)
  }
  return found
}
