/** The command line of a program that runs for some minutes and repeats what it did when given the same seed. */
import { parseArgs } from 'node:util'

export interface SeededOptions {
  readonly minutes: number
  readonly seed: number
  readonly json: boolean
  readonly help: boolean
}

/** What differs from program to program. */
export interface SeededProgram {
  readonly help: string
  readonly defaultMinutes: string
  readonly minMinutes: number
}

const MAX_MINUTES = 1440

/** The command line cannot be used. */
export class UsageError extends Error {}

function numberOf(text: string, option: string, allowed: string, isAllowed: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!isAllowed(value)) throw new UsageError(`--${option}: expected ${allowed}, got ${JSON.stringify(text)}`)
  return value
}

/** @throws {UsageError} naming the option, what was given and what is allowed */
export function parseSeededOptions(
  words: readonly string[],
  { help, defaultMinutes, minMinutes }: SeededProgram,
  newSeed: () => number,
): SeededOptions {
  const options = {
    minutes: { type: 'string', default: defaultMinutes },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const
  let values
  try {
    ;({ values } = parseArgs({ args: [...words], options, allowPositionals: false }))
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
  }
  const isSeed = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 31
  const isTime = (value: number): boolean => value >= minMinutes && value <= MAX_MINUTES
  return {
    minutes: numberOf(values.minutes, 'minutes', `a number from ${minMinutes} to ${MAX_MINUTES}`, isTime),
    seed: values.seed === undefined ? newSeed() : numberOf(values.seed, 'seed', 'a whole number of 32 bits', isSeed),
    json: values.json,
    help: values.help,
  }
}
