import { parseArgs } from 'node:util'
import { HOST_NAMES } from './hosts/host.ts'
import type { HostName } from './hosts/host.ts'

export interface Options {
  readonly help: boolean
  /** Print one JSON object instead of the table. */
  readonly json: boolean
  /** In the order of the table. */
  readonly hosts: readonly HostName[]
  /** Beginnings of ids; empty for all behaviours. */
  readonly only: readonly string[]
}

export const HELP = `npm run conformance [-- options]

Runs every behaviour of the Sockets API against workerd's own sockets (native), Hawser's in workerd through edge,
tunnel and connector (hawser), and @hawser/sockets in plain Node (node), and prints a table.

  --host NAME   only this host: native, hawser or node; may be given several times
  --only ID     only behaviours whose id begins so, as in S-1 or S-054b; may be given several times
  --json        print one JSON object: { behaviours, hosts: { native: { pass, fail }, … }, unexplained }
  --help        print this

A failure is explained when docs/sockets-differences.md gives its reason. Exit code 1 when one is not, and when that file
lists a difference that is gone.
`

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

function isHostName(text: string): text is HostName {
  return HOST_NAMES.some((name) => name === text)
}

/** @throws {UsageError} naming the option, what was given and what is allowed */
export function parseOptions(words: readonly string[]): Options {
  const multiple = { type: 'string', multiple: true } as const
  const flag = { type: 'boolean' } as const
  let values
  try {
    ;({ values } = parseArgs({ args: [...words], options: { host: multiple, only: multiple, json: flag, help: flag } }))
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { host: hosts = [], only = [], json = false, help = false } = values
  const unknown = hosts.find((name) => !isHostName(name))
  if (unknown !== undefined) throw new UsageError(`--host: got "${unknown}", allowed: ${HOST_NAMES.join(', ')}`)
  return { help, json, only, hosts: HOST_NAMES.filter((name) => hosts.length === 0 || hosts.includes(name)) }
}
