import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { systemCode } from '@hawser/core'
import type { Logger } from '@hawser/core'

/** Values that a Worker finds in `env`: strings, or JSON. */
export type Vars = Readonly<Record<string, unknown>>

/** Where variables come from. */
export interface VarsSource {
  readonly configPath: string
  readonly environment: string | undefined
  /** `vars` of the configuration. */
  readonly vars: Vars
  /** `secrets.required` of the configuration; where it is set, no other secret is taken. */
  readonly requiredSecrets: readonly string[] | undefined
  /** Where the name of one of these stands, `file:line:column`, and under which key. */
  readonly locateSecret: (index: number) => { readonly place: string; readonly key: string }
  readonly logger: Logger
}

/** `.env` syntax; undefined where there is no such file. */
async function readVars(file: string): Promise<Record<string, string> | undefined> {
  try {
    return parseEnv(await readFile(file, 'utf8')) as Record<string, string>
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The first of `.dev.vars.<environment>` and `.dev.vars`; without either, every `.env` file, later ones winning. */
async function readSecrets({
  configPath,
  environment,
  logger,
}: VarsSource): Promise<Record<string, string> | undefined> {
  const folder = dirname(configPath)
  const specific = environment === undefined ? [] : [`.dev.vars.${environment}`]
  for (const name of [...specific, '.dev.vars']) {
    const found = await readVars(join(folder, name))
    if (found === undefined) continue
    logger.debug(`using the variables of ${name}`)
    return found
  }
  const names = [
    '.env',
    '.env.local',
    ...(environment === undefined ? [] : [`.env.${environment}`, `.env.${environment}.local`]),
  ]
  const files = await Promise.all(names.map((name) => readVars(join(folder, name))))
  return files.some((file) => file !== undefined) ? (Object.assign({}, ...files) as Record<string, string>) : undefined
}

/** All variables of the Worker: those of the configuration, and over them the local ones, by wrangler's rules. */
export async function readVarsForRun(source: VarsSource): Promise<Vars> {
  const { vars, requiredSecrets, logger } = source
  const secrets = await readSecrets(source)
  if (requiredSecrets === undefined) return { ...vars, ...secrets }
  const wanted = new Set([...Object.keys(vars), ...requiredSecrets])
  const taken = Object.entries(secrets ?? {}).filter(([name]) => wanted.has(name))
  for (const [index, name] of requiredSecrets.entries()) {
    if (secrets?.[name] !== undefined) continue
    const { place, key } = source.locateSecret(index)
    logger.warn(`${place}: "${key}" asks for ${name}, which has no value on this machine: add ${name}=… to .dev.vars`)
  }
  return { ...vars, ...Object.fromEntries(taken) }
}
