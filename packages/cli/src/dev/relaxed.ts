import { HawserError } from '@hawser/core'

/** Names that `--relaxed` takes, and what each turns off. Kept apart from the rest, which takes time to load. */
export const RELAXED_RULES = {
  connections: 'the six connections of one invocation',
  'blocked-addresses': 'the refusal of private, loopback and special addresses',
  'blocked-ports': 'the refusal of port 25',
  loops: 'the refusal of the Worker’s own address',
} as const

/** A key of {@link RELAXED_RULES}. */
export type RelaxedRule = keyof typeof RELAXED_RULES

const NAMES: readonly string[] = Object.keys(RELAXED_RULES)

/**
 * Reads the values of `--relaxed`, each one name or several with commas between.
 *
 * @param field where they stand, for messages
 * @throws {HawserError} `options_invalid`
 */
export function readRelaxed(values: readonly string[], field: string = '--relaxed'): ReadonlySet<RelaxedRule> {
  const names = values.flatMap((value) => value.split(',').map((name) => name.trim()))
  for (const name of names) {
    if (NAMES.includes(name)) continue
    throw new HawserError('options_invalid', `${field}: expected ${NAMES.join(', ')}, got ${JSON.stringify(name)}`)
  }
  return new Set(names as RelaxedRule[])
}
