import { parseArgs } from 'node:util'
import { MATRIX } from './matrix.ts'
import type { DriverEntry } from './matrix.ts'

export interface Options {
  readonly help: boolean
  /** Print one JSON array instead of the table. */
  readonly json: boolean
  /** On workerd alone, without Hawser. */
  readonly native: boolean
  /** Log lines of edge, connector and Workers go to standard error. */
  readonly verbose: boolean
  /** In the order of the table. */
  readonly entries: readonly DriverEntry[]
}

export const HELP = `npm run drivers [-- options] [driver…]

Runs npm clients, unchanged, in Workers against real servers through edge, tunnel and connector, plain and with TLS, and
prints a table. Clients and servers that are missing are installed first where that is possible.

  --json      print one JSON array: [{ driver, version, server, plain, tls }, …]
  --native    run them on workerd alone, to see whether a failure is Hawser's
  --verbose   print what edge, connector and Workers log
  --help      print this

Exit code 1 when a driver fails for a reason that e2e/drivers/known.ts does not name.
`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws {UsageError} naming what was given and what is allowed */
export function parseOptions(words: readonly string[]): Options {
  const flag = { type: 'boolean' } as const
  const options = { json: flag, native: flag, verbose: flag, help: flag }
  let parsed
  try {
    parsed = parseArgs({ args: [...words], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals: names } = parsed
  const unknown = names.find((name) => !MATRIX.some((entry) => entry.name === name))
  if (unknown !== undefined) {
    throw new UsageError(`there is no driver "${unknown}"; there are ${MATRIX.map(({ name }) => name).join(', ')}`)
  }
  const { help = false, json = false, native = false, verbose = false } = values
  const entries = MATRIX.filter(({ name }) => names.length === 0 || names.includes(name))
  return { help, json, native, verbose, entries }
}
