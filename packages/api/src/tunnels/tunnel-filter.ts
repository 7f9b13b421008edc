import { z } from 'zod'
import { isDeleted, readQuery, unsupported } from '../query.ts'
import type { ApiContext } from '../resource.ts'
import type { TunnelResource } from './tunnel-resource.ts'

const schema = z.object({
  name: z.string().optional(),
  uuid: z.string().optional(),
  include_prefix: z.string().optional(),
  exclude_prefix: z.string().optional(),
  is_deleted: isDeleted,
  status: z.enum(['inactive', 'degraded', 'healthy', 'down']).optional(),
  existed_at: unsupported,
  was_active_at: unsupported,
  was_inactive_at: unsupported,
})

/** Which tunnels a list holds; `name` and `deleted` are the directory's part of it. */
export interface TunnelListFilter {
  readonly name: string | undefined
  /** Only tunnels that are deleted, or only those that are not. */
  readonly deleted: boolean
  matches(tunnel: TunnelResource): boolean
}

/**
 * The filters of a list, from its query. Without `is_deleted` a list holds what there is: the vendor's holds the deleted
 * ones too, and its own command line shows them as if they were there.
 *
 * @throws {ApiRefusal} 400 for a value or a filter that is not supported
 */
export function tunnelFilter(c: ApiContext): TunnelListFilter {
  const query = readQuery(c, schema)
  return {
    name: query.name,
    deleted: query.is_deleted,
    matches: ({ id, name, status }) =>
      (query.uuid === undefined || id === query.uuid.toLowerCase()) &&
      (query.include_prefix === undefined || name.startsWith(query.include_prefix)) &&
      (query.exclude_prefix === undefined || !name.startsWith(query.exclude_prefix)) &&
      (query.status === undefined || status === query.status),
  }
}
