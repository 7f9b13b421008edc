import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import type { core } from 'zod'
import type { WrittenConfig } from './hawser-schema.ts'
import { formatPath, JsoncFile } from './jsonc-file.ts'
import { readStandIns } from './stand-in-config.ts'
import type { StandInConfig } from './stand-in-config.ts'
import { readTlsConfig } from './tls-config.ts'

/** What an optional `hawser.jsonc` beside the wrangler file may say; `networks` and `services` are by name of a binding. */
export interface HawserConfig extends StandInConfig {
  /** Name of the `vpc_networks` binding that the Worker's global `connect()` goes through. */
  readonly egressBinding?: string | undefined
  /** How the edge speaks TLS for this Worker; the first rule that matches counts. */
  readonly tls: readonly TlsRule[]
  /** Connections that one invocation may have open; 0 for no limit. */
  readonly connectionLimit?: number | undefined
}

/** The file, and where each of its values stands, for messages found only later. */
export interface HawserFile {
  readonly config: HawserConfig
  /** Absolute paths of the file and of those it names; none where there is no such file. */
  readonly files: readonly string[]
  /** `file:line:column` of the value under these keys, outermost first. */
  locate(...keys: readonly [string, ...string[]]): string
}

/** The bindings of a Worker, by which `networks` and `services` name theirs. */
export interface DeclaredBindings {
  /** Names under `vpc_networks`. */
  readonly networks: readonly string[]
  /** Names under `vpc_services`. */
  readonly services: readonly string[]
}

/** What it is called, beside the wrangler file. */
export const HAWSER_FILE_NAME = 'hawser.jsonc'

/** Types and keys. zod takes tens of milliseconds to load, and most Workers have no such file. */
async function validate(file: JsoncFile): Promise<WrittenConfig> {
  const { allowedKeys, hawserSchema } = await import('./hawser-schema.ts')
  const result = hawserSchema.safeParse(file.value)
  if (result.success) return result.data
  const lines = result.error.issues.flatMap((issue) => describe(issue, file, allowedKeys))
  throw new HawserError('config_invalid', lines.join('\n'))
}

/** One line for each problem, each with its place in the file. */
function describe(
  issue: core.$ZodIssue,
  file: JsoncFile,
  allowedKeys: (path: readonly PropertyKey[]) => readonly string[],
): string[] {
  const at = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'invalid_union') {
    // What is wrong inside of the one form that the value has, says more than that it has none of them.
    const inner = issue.errors.find((errors) => errors.every((one) => one.path.length > 0 || 'keys' in one)) ?? []
    const lines = inner.flatMap((one) => describe({ ...one, path: [...issue.path, ...one.path] }, file, allowedKeys))
    if (lines.length > 0) return lines
  }
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedKeys(at).join(', ')
    return issue.keys.map((key) => `${file.locateKey(at, key)}: unknown key "${key}"; allowed: ${allowed}`)
  }
  return [`${file.locate(at)}: "${formatPath(at)}" must be ${issue.message}, got ${file.show(at)}`]
}

/** A binding that the Worker does not have is a slip in its name, or in the choice of section. */
function checkNames(file: JsoncFile, config: StandInConfig, bindings: DeclaredBindings, problems: string[]): void {
  for (const section of ['networks', 'services'] as const) {
    const other = section === 'networks' ? 'services' : 'networks'
    for (const name of Object.keys(config[section])) {
      if (bindings[section].includes(name)) continue
      const known = bindings[section].map((binding) => `"${binding}"`).join(', ')
      const moved = bindings[other].includes(name)
        ? `; "${name}" is one of "vpc_${other}", so it belongs under "${other}"`
        : ''
      problems.push(
        `${file.locateKey([section], name)}: "${section}" must name bindings of "vpc_${section}" ` +
          `(${known === '' ? 'there are none' : `there are: ${known}`}), got "${name}"${moved}`,
      )
    }
  }
}

/** Undefined where there is none. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw HawserError.from(error, 'config_invalid')
  }
}

/**
 * Reads `hawser.jsonc` beside the wrangler file, and the PEM files it names.
 *
 * @param bindings what the Worker has; where given, entries for other bindings are refused
 * @throws {HawserError} `config_invalid`, one line for each problem: `file:line:column: what is wrong`
 */
export async function readHawserFile(wranglerPath: string, bindings?: DeclaredBindings): Promise<HawserFile> {
  const path = join(dirname(wranglerPath), HAWSER_FILE_NAME)
  const text = await readText(path)
  if (text === undefined)
    return { config: { networks: {}, services: {}, egress: { hosts: [] }, tls: [] }, files: [], locate: () => path }
  const file = new JsoncFile(path, text)
  const { tls = [], limits, ...written } = await validate(file)
  const { egress } = written
  const problems: string[] = []
  const standIns = readStandIns(file, written, problems)
  const { rules, files } = await readTlsConfig(file, tls, problems)
  if (bindings !== undefined) checkNames(file, standIns, bindings, problems)
  if (problems.length > 0) throw new HawserError('config_invalid', problems.join('\n'))
  return {
    config: {
      egressBinding: typeof egress === 'string' ? egress : egress?.binding,
      ...standIns,
      tls: rules,
      connectionLimit: limits?.connections,
    },
    files: [path, ...files],
    locate: (...keys) => file.locate(keys),
  }
}
