import { parseArgs } from 'node:util'

export interface Options {
  readonly minutes: number
  readonly seed: number
  readonly json: boolean
  readonly help: boolean
}

export const HELP = `npm run chaos [-- options]: breaks an edge, connectors and the network between them while 200 flows run. Needs root.

  --minutes N   how long things go wrong, from 0.5 to 1440; 2 unless given. Start and end take about a minute more
  --seed S      a whole number; the same one gives the same schedule and the same flows. A new one unless given
  --json        one JSON object on stdout

Ends with 1 if a byte is wrong, a flow ends without an outcome or with an error that has no code, something is left over, memory
does not come back, or new flows take more than 2 s once a connector can be reached.
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
    minutes: { type: 'string', default: '2' },
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
  const isTime = (value: number): boolean => value >= 0.5 && value <= 1440
  return {
    minutes: numberOf(values.minutes, 'minutes', 'a number from 0.5 to 1440', isTime),
    seed: values.seed === undefined ? newSeed() : numberOf(values.seed, 'seed', 'a whole number of 32 bits', isSeed),
    json: values.json,
    help: values.help,
  }
}
