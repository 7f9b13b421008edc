import { RESERVED_SUFFIX } from '@hawser/core'
import type { FlowVerdict } from '@hawser/core'

/** Top-level names that have no public meaning, and the rule each falls under. */
const RESERVED_NAMES: ReadonlyMap<string, string> = new Map([
  ['localhost', 'blocked-names/localhost'], // RFC 6761 section 6.3: must not be asked of a resolver
  [RESERVED_SUFFIX.slice(1), 'blocked-names/hawser'],
])

/**
 * Whether a name may be asked of a public resolver at all.
 *
 * @param name lower case, without trailing dot, as `parseHost` gives it
 */
export function judgeName(name: string): FlowVerdict {
  const top = name.slice(name.lastIndexOf('.') + 1)
  const rule = RESERVED_NAMES.get(top)
  return rule === undefined ? { allowed: true, rule: 'public' } : { allowed: false, rule }
}
