import type { Mode } from './run-driver.ts'

/** A driver that cannot do something, in a Worker on workerd alone as well as through Hawser. */
export interface KnownReason {
  readonly driver: string
  readonly modes: readonly Mode[]
  /** The only check that may fail for it. */
  readonly check: string
  /** Told in the place of "ok". */
  readonly reason: string
}

/** `npm run drivers -- --native NAME` shows each of them on workerd alone; docs/drivers.md says more. */
export const KNOWN: readonly KnownReason[] = [
  {
    driver: 'memcached',
    modes: ['plain'],
    check: 'gone',
    reason: 'the client does not notice that its server has gone, in plain Node neither',
  },
]

/** The reason of a failure, which begins with the name of its check; undefined for one that nobody has explained. */
export function explain(driver: string, mode: Mode, failure: string): string | undefined {
  const found = KNOWN.find(
    (known) => known.driver === driver && known.modes.includes(mode) && failure.startsWith(`${known.check}:`),
  )
  return found?.reason
}
