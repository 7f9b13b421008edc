import { parseArgs } from 'node:util'

export interface Options {
  readonly minutes: number
  readonly seed: number
  readonly json: boolean
  readonly help: boolean
}

export const HELP = `npm run fuzz [-- options]: throws inputs at the parsers of addresses, authorities and CONNECT heads.

  --minutes N   how long, from 0.01 to 1440; 1 unless given
  --seed S      a whole number; the same one gives the same inputs. A new one unless given
  --json        one JSON object on stdout

Ends with 1 if there is a finding, with the smallest input that shows it.
`

/** The command line cannot be used. */
export class UsageError extends Error {}

function numberOf(text: string, option: string, allowed: string, isAllowed: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!isAllowed(value)) throw new UsageError(`--${option}: expected ${allowed}, got ${JSON.stringify(text)}`)
  return value
}

/** @throws {UsageError} naming the option, what was given and what is allowed */
export function parseOptions(words: readonly string[], newSeed: () => number): Options {
  const options = {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  let values
  try {
    ;({ values } = parseArgs({ args: [...words], options, allowPositionals: false }))
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
  }
  const isSeed = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 31
  return {
    minutes: numberOf(
      values.minutes,
      'minutes',
      'a number from 0.01 to 1440',
      (value) => value >= 0.01 && value <= 1440,
    ),
    seed: values.seed === undefined ? newSeed() : numberOf(values.seed, 'seed', 'a whole number of 32 bits', isSeed),
    json: values.json,
    help: values.help,
  }
}
