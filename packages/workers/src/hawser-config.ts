import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import type { TlsRule } from '@hawser/core'
import type { core } from 'zod'
import { formatPath, JsoncFile } from './jsonc-file.ts'
import { readTlsConfig } from './tls-config.ts'
import type { TlsEntry } from './tls-config.ts'

/** What an optional `hawser.jsonc` beside the wrangler file may say. */
export interface HawserConfig {
  /** Name of the `vpc_networks` binding that the Worker's global `connect()` goes through. */
  readonly egress?: string | undefined
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
  /** `file:line:column` of the value under `key`. */
  locate(key: string): string
}

/** As it is written. */
interface Written {
  readonly egress?: string | undefined
  readonly tls?: readonly TlsEntry[] | undefined
  readonly limits?: { readonly connections?: number | undefined } | undefined
}

const FILE_NAME = 'hawser.jsonc'
const MAX_CONNECTIONS = 10_000

/** zod takes tens of milliseconds to load, and most Workers have no such file. */
async function validate(value: unknown): Promise<{ written: Written } | { issues: readonly core.$ZodIssue[] }> {
  const { z } = await import('zod')
  const text = z.string('a string').min(1, 'a string that is not empty')
  const oneOf = <const T extends readonly string[]>(values: T) =>
    z.enum(values, `one of ${values.map((known) => `"${known}"`).join(', ')}`)
  const entry = z.strictObject(
    {
      match: text,
      ca: text.optional(),
      cert: text.optional(),
      key: text.optional(),
      verify: oneOf(['verify_full', 'verify_ca', 'disabled']).optional(),
      serverName: text.optional(),
      minVersion: oneOf(['TLSv1.2', 'TLSv1.3']).optional(),
    },
    'an object, { … }',
  )
  const number = `a whole number from 0, for no limit, to ${MAX_CONNECTIONS}`
  const schema = z.strictObject({
    $schema: z.string('a string').optional(),
    egress: text.optional(),
    tls: z.array(entry, 'a list, [ … ]').optional(),
    limits: z
      .strictObject(
        { connections: z.int(number).min(0, number).max(MAX_CONNECTIONS, number).optional() },
        'an object, { … }',
      )
      .optional(),
  })
  const result = schema.safeParse(value)
  return result.success ? { written: result.data } : { issues: result.error.issues }
}

/** By where they stand: what may be written under the top, under an entry of `tls`, and under `limits`. */
function allowedKeys([first]: readonly PropertyKey[]): string {
  if (first === 'tls') return 'match, ca, cert, key, verify, serverName, minVersion'
  return first === 'limits' ? 'connections' : 'egress, limits, tls'
}

/** One line for each problem, each with its place in the file. */
function describe(issue: core.$ZodIssue, file: JsoncFile): string[] {
  const at = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedKeys(at)
    return issue.keys.map((key) => `${file.locateKey(at, key)}: unknown key "${key}"; allowed: ${allowed}`)
  }
  return [`${file.locate(at)}: "${formatPath(at)}" must be ${issue.message}, got ${file.show(at)}`]
}

/**
 * Reads `hawser.jsonc` beside the wrangler file, and the PEM files it names.
 *
 * @throws {HawserError} `config_invalid`, one line for each problem: `file:line:column: what is wrong`
 */
export async function readHawserFile(wranglerPath: string): Promise<HawserFile> {
  const path = join(dirname(wranglerPath), FILE_NAME)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { config: { tls: [] }, files: [], locate: () => path }
    throw HawserError.from(error, 'config_invalid')
  }
  const file = new JsoncFile(path, text)
  const result = await validate(file.value)
  if ('issues' in result) {
    throw new HawserError('config_invalid', result.issues.flatMap((issue) => describe(issue, file)).join('\n'))
  }
  const { egress, tls = [], limits } = result.written
  const { rules, files } = await readTlsConfig(file, tls)
  return {
    config: { egress, tls: rules, connectionLimit: limits?.connections },
    files: [path, ...files],
    locate: (key) => file.locate([key]),
  }
}
