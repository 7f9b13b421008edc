import { API_ERRORS, ApiRefusal } from './errors.ts'
import type { ApiContext } from './resource.ts'

/** Where a page is in its list; clients stop when they have `total_count` items or meet an empty page. */
export interface PageInfo {
  readonly page: number
  readonly per_page: number
  /** Items on this page. */
  readonly count: number
  readonly total_count: number
  readonly total_pages: number
}

/** One page of a list, and `result_info` to go with it. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly info: PageInfo
}

/** A screenful, and the most that one answer should carry. */
const DEFAULT_PER_PAGE = 20
const MAX_PER_PAGE = 1_000
/** Far past any list, near enough to stay a number. */
const MAX_PAGE = 1_000_000

/**
 * The page of `all` that the query asks for by `page` (from 1) and `per_page`. Past the end it is empty: clients that go on
 * until a page is empty would otherwise never stop.
 *
 * @throws {ApiRefusal} 400 for anything but whole numbers in range
 */
export function pageOf<Item>(c: ApiContext, all: readonly Item[]): Page<Item> {
  const slice = sliceOf(c)
  const items = all.slice(slice.offset, slice.offset + slice.limit)
  return { items, info: slice.info(items.length, all.length) }
}

/** Which part of a list is asked for, for lists of which the directory reads no more than that. */
export interface PageSlice {
  readonly offset: number
  readonly limit: number
  /** @param count items on this page; `total` of the whole list */
  info(count: number, total: number): PageInfo
}

/** @throws {ApiRefusal} as {@link pageOf} */
export function sliceOf(c: ApiContext): PageSlice {
  const page = wholeNumber(c, 'page', 1, MAX_PAGE)
  const limit = wholeNumber(c, 'per_page', DEFAULT_PER_PAGE, MAX_PER_PAGE)
  return {
    offset: (page - 1) * limit,
    limit,
    info: (count, total) => ({
      page,
      per_page: limit,
      count,
      total_count: total,
      total_pages: Math.ceil(total / limit),
    }),
  }
}

function wholeNumber(c: ApiContext, name: string, fallback: number, max: number): number {
  const text = c.req.query(name)
  if (text === undefined) return fallback
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new ApiRefusal(API_ERRORS.badRequest, `${name}: expected a whole number from 1 to ${max}`)
}
