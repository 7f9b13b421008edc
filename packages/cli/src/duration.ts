const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** What {@link parseDuration} takes, for messages. */
export const DURATION_FORM = 'a duration such as 500ms, 30s, 5m or 1h'

/** Setting a timer for longer than this many milliseconds would fire at once. */
const MAX_MS = 2 ** 31 - 1

/** Milliseconds of a text such as `1.5s`; undefined for any other text. A bare number has no unit and is refused, 0 apart. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text)
  if (match === null) return undefined
  const [, digits, unit] = match
  const ms = Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return ms <= MAX_MS ? Math.round(ms) : undefined
}
