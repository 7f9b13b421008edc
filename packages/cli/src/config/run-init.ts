import { access, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { HAWSER_FILE_NAME, readBindings } from '@hawser/workers'
import type { Output } from '../command.ts'
import { composeFile } from './compose-file.ts'
import { askForAnswers, defaultAnswers } from './questions.ts'
import { withTerminal } from './terminal.ts'
import type { Terminal } from './terminal.ts'

export interface InitOptions {
  /** The wrangler file, or the folder it is in. */
  readonly configPath: string
  readonly environment?: string | undefined
  /** Asks nothing. */
  readonly yes: boolean
  /** Overwrites. */
  readonly force: boolean
  readonly logger: Logger
  readonly out: Output
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Where the package keeps the schema, seen from a project that has it installed. */
const SCHEMA = join('node_modules', 'hawser', 'schema', 'hawser.schema.json')

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

/** The schema of the nearest installed package, as editors resolve it; undefined where `npx` brought Hawser. */
async function findSchema(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, SCHEMA)
    if (await exists(path)) {
      const from = relative(folder, path).replaceAll('\\', '/')
      return from.startsWith('.') ? from : `./${from}`
    }
    if (dirname(at) === at) return undefined
  }
}

function refuse(path: string): HawserError {
  return new HawserError('options_invalid', `${relative('', path)} is there already: give --force to overwrite it`)
}

/** `wx` once more: whatever came in between the questions is not ours to overwrite. */
async function write(path: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw refuse(path)
    throw new HawserError('config_invalid', `${relative('', path)} cannot be written (${systemCode(error) ?? ''})`, {
      cause: error,
    })
  }
}

/**
 * Writes `hawser.jsonc` beside the wrangler file, from its bindings and what is answered about them.
 *
 * @throws {HawserError} `options_invalid` where the file exists or nobody can answer; `config_invalid` of the wrangler file
 */
export async function runInit(options: InitOptions): Promise<void> {
  const { yes, force, out, signal } = options
  const bindings = await readBindings(options)
  const folder = dirname(bindings.path)
  const path = join(folder, HAWSER_FILE_NAME)
  if (!force && (await exists(path))) throw refuse(path)
  const answers = yes
    ? defaultAnswers(bindings)
    : await withTerminal(options.terminal, signal, (ask) => askForAnswers(bindings, ask))
  const schema = await findSchema(folder)
  await write(path, composeFile({ schema, ...answers }), force)
  const { networks, services } = bindings
  out.line(`Wrote ${relative('', path)}`)
  if (networks.length + services.length === 0) {
    out.line('The wrangler file has no vpc_networks and no vpc_services: only public hosts can have stand-ins.')
  }
  if (schema === undefined)
    out.line('For completion in editors: npm install --save-dev hawser, then hawser init --force')
  out.line('Try what it says with: hawser check')
}
