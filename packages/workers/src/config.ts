import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import { HawserError, systemCode } from '@hawser/core'
import type { BindingNetwork, Logger, TlsRule } from '@hawser/core'
import type { Config, ParseError, RawConfig } from '@cloudflare/workers-utils'
import { readVarsForRun } from './dev-vars.ts'
import type { Vars, VarsSource } from './dev-vars.ts'
import { readHawserFile } from './hawser-config.ts'
import type { HawserFile } from './hawser-config.ts'
import { formatPath, JsoncFile } from './jsonc-file.ts'
import type { StandInConfig } from './stand-in-config.ts'
import { wranglerUtils } from './wrangler-utils.ts'
import type { WranglerUtils } from './wrangler-utils.ts'

/** A `vpc_networks` entry. */
export interface VpcNetworkBinding {
  readonly binding: string
  readonly network: Extract<BindingNetwork, { kind: 'tunnel' | 'network' }>
}

/** A `vpc_services` entry. */
export interface VpcServiceBinding {
  readonly binding: string
  readonly serviceId: string
}

/** A Worker as its files describe it, checked, for one environment. */
export interface WorkerConfig {
  /** As deployed: `name`, or `name-environment`. */
  readonly name: string
  /** Absolute path of the wrangler file. */
  readonly path: string
  /** Absolute path of the entry point. */
  readonly main: string
  /** wrangler's normalised form of everything else. */
  readonly wrangler: Config
  readonly vars: Vars
  readonly networks: readonly VpcNetworkBinding[]
  readonly services: readonly VpcServiceBinding[]
  /** What `hawser.jsonc` has in the place of networks and services, for a developer's machine. */
  readonly standIns: StandInConfig
  /** The one of `networks` that the global `connect()` goes through; undefined for public egress. */
  readonly egress: VpcNetworkBinding | undefined
  /** How the edge speaks TLS for it; the first rule that matches counts. */
  readonly tls: readonly TlsRule[]
  /** See `BindingIdentity.connectionLimit`. */
  readonly connectionLimit: number | undefined
  /** The configuration files that were read, for whoever watches them. */
  readonly files: readonly string[]
}

/** wrangler's names, in the order in which it looks for them. */
const FILE_NAMES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'] as const
const EXTENSIONS: readonly string[] = ['.json', '.jsonc', '.toml']

/** Paths are shown as the user sees them, from the current folder, as wrangler does. */
function invalid(path: string, message: string): HawserError {
  return new HawserError('config_invalid', `${relative('', path) || path}: ${message}`)
}

/** Undefined where there is nothing. */
async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw HawserError.from(error, 'config_invalid')
  }
}

/** The file itself, or the one wrangler would find in a folder. */
async function findFile(given: string): Promise<string> {
  const path = resolve(given)
  const kind = await kindOf(path)
  if (kind === undefined) throw invalid(path, 'no such file')
  if (kind === 'file') {
    if (EXTENSIONS.includes(extname(path))) return path
    throw invalid(path, `expected a file named ${EXTENSIONS.map((ext) => `*${ext}`).join(', ')}`)
  }
  for (const name of FILE_NAMES) {
    if ((await kindOf(join(path, name))) === 'file') return join(path, name)
  }
  throw invalid(path, `the folder has none of ${FILE_NAMES.join(', ')}`)
}

/** wrangler reports what it cannot parse with a place; its columns count from zero. */
function parseFailure(path: string, error: unknown): HawserError {
  const { location } = error as Partial<ParseError>
  const message = error instanceof Error ? error.message : String(error)
  const place = location === undefined ? '' : `:${location.line}:${location.column + 1}`
  return new HawserError('config_invalid', `${relative('', path)}${place}: ${message}`, { cause: error })
}

/** wrangler collects most problems, and throws some. */
function validate(utils: WranglerUtils, raw: RawConfig, path: string, environment: string | undefined) {
  const args = environment === undefined ? {} : { env: environment }
  try {
    return utils.normalizeAndValidateConfig(raw, path, path, args)
  } catch (error) {
    throw parseFailure(path, error)
  }
}

/** A wrangler file, as it is written and as it is meant. */
interface ReadWrangler {
  readonly path: string
  readonly raw: RawConfig
  readonly wrangler: Config
}

/** Reads and validates as wrangler does, with its messages: errors are thrown, warnings go to the log. */
function readWrangler(path: string, environment: string | undefined, logger: Logger): ReadWrangler {
  const utils = wranglerUtils()
  let raw: RawConfig
  try {
    raw = utils.experimental_readRawConfig({ config: path }).rawConfig
  } catch (error) {
    if (extname(path) !== '.toml') void new JsoncFile(path, readFileSync(path, 'utf8')) // throws the same, in words
    throw parseFailure(path, error)
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid(path, `expected an object, got ${JSON.stringify(raw)}`)
  }
  const { config, diagnostics } = validate(utils, raw, path, environment)
  if (diagnostics.hasErrors()) throw new HawserError('config_invalid', diagnostics.renderErrors())
  if (diagnostics.hasWarnings()) logger.warn(diagnostics.renderWarnings())
  return { path, raw, wrangler: config }
}

/** What wrangler accepts and Hawser cannot run. */
function checkSupported(path: string, config: Config): string {
  if (config.pages_build_output_dir !== undefined) {
    throw invalid(path, '"pages_build_output_dir": Pages projects are not supported, only Workers')
  }
  if (config.main === undefined) throw invalid(path, '"main" is missing: the path of the Worker\'s entry point')
  if (extname(config.main) === '.py') throw invalid(path, '"main": Python Workers are not supported')
  return config.main
}

/** `remote` is not looked at: these bindings never leave Hawser (X-18). */
function vpcNetworks({ vpc_networks: entries }: Config): VpcNetworkBinding[] {
  return entries.map((entry) => ({
    binding: entry.binding,
    network:
      'tunnel_id' in entry
        ? { kind: 'tunnel', tunnelId: entry.tunnel_id }
        : { kind: 'network', networkId: entry.network_id },
  }))
}

function vpcServices({ vpc_services: entries }: Config): VpcServiceBinding[] {
  return entries.map(({ binding, service_id: serviceId }) => ({ binding, serviceId }))
}

/**
 * The bindings with the virtual networks that `hawser.jsonc` names for them.
 *
 * @throws {HawserError} `config_invalid` where a binding names a tunnel, which is one way whatever the routes say
 */
function inVirtualNetworks(networks: readonly VpcNetworkBinding[], hawser: HawserFile): VpcNetworkBinding[] {
  return networks.map(({ binding, network }) => {
    const virtualNetwork = hawser.config.networks[binding]?.virtualNetwork
    if (virtualNetwork === undefined) return { binding, network }
    if (network.kind === 'network') return { binding, network: { ...network, virtualNetwork } }
    const place = hawser.locate('networks', binding, 'virtualNetwork')
    const message = `"networks.${binding}.virtualNetwork" is for a binding with a "network_id": this one names a tunnel`
    throw new HawserError('config_invalid', `${place}: ${message}`)
  })
}

/** Looked up among the environment's own bindings: `vpc_networks` is not inherited (V-022). */
function findEgress(hawser: HawserFile, networks: readonly VpcNetworkBinding[]): VpcNetworkBinding | undefined {
  const name = hawser.config.egressBinding
  if (name === undefined) return undefined
  const found = networks.find(({ binding }) => binding === name)
  if (found !== undefined) return found
  const names = networks.map(({ binding }) => `"${binding}"`).join(', ')
  const known = names === '' ? 'there are none' : `there are: ${names}`
  throw new HawserError(
    'config_invalid',
    `${hawser.locate('egress', 'binding')}: "egress" must name a binding of "vpc_networks" (${known}), got "${name}"`,
  )
}

/**
 * Reads a Worker's `wrangler.jsonc`, `.json` or `.toml`, its variables, and the `hawser.jsonc` beside it.
 *
 * @param options.configPath the file, or the folder it is in
 * @param options.vars set for this run; they win over the configuration's
 * @param options.environment a name under `env`; without it, the top level (or what `CLOUDFLARE_ENV` names, as in wrangler)
 * @throws {HawserError} `config_invalid` with the file and wrangler's messages
 */
export async function readWorkerConfig(options: {
  readonly configPath: string
  readonly environment?: string | undefined
  readonly vars?: Vars | undefined
  readonly logger: Logger
}): Promise<WorkerConfig> {
  const { environment, logger } = options
  const path = await findFile(options.configPath)
  const read = readWrangler(path, environment, logger)
  const { wrangler } = read
  const main = checkSupported(path, wrangler)
  const named = vpcNetworks(wrangler)
  const services = vpcServices(wrangler)
  const hawser = await readHawserFile(path, {
    networks: named.map(({ binding }) => binding),
    services: services.map(({ binding }) => binding),
  })
  const networks = inVirtualNetworks(named, hawser)
  const vars = await readVarsForRun({
    configPath: path,
    environment: wrangler.targetEnvironment,
    vars: wrangler.vars,
    requiredSecrets: wrangler.secrets?.required,
    locateSecret: secretLocator(read),
    logger,
  })
  return {
    name: wrangler.name ?? 'worker',
    path,
    main,
    wrangler,
    vars: { ...vars, ...options.vars },
    networks,
    services,
    standIns: { networks: hawser.config.networks, services: hawser.config.services, egress: hawser.config.egress },
    egress: findEgress(hawser, networks),
    tls: hawser.config.tls,
    connectionLimit: hawser.config.connectionLimit,
    files: [path, ...hawser.files],
  }
}

/** Where a required secret is asked for: in an environment of its own, or at the top level. */
function secretLocator({ path, wrangler, raw }: ReadWrangler): VarsSource['locateSecret'] {
  const { targetEnvironment: environment } = wrangler
  const own = environment === undefined ? undefined : raw.env?.[environment]?.secrets
  const keys = environment === undefined || own === undefined ? [] : ['env', environment]
  return (index) => {
    const at = [...keys, 'secrets', 'required', index]
    const key = formatPath(at)
    if (extname(path) === '.toml') return { place: relative('', path), key }
    return { place: new JsoncFile(path, readFileSync(path, 'utf8')).locate(at), key }
  }
}

/** A Worker's bindings into private networks, and nothing else of it. */
export interface WorkerBindings {
  /** Absolute path of the wrangler file. */
  readonly path: string
  readonly networks: readonly VpcNetworkBinding[]
  readonly services: readonly VpcServiceBinding[]
}

/**
 * Reads what {@link readWorkerConfig} would, without a look at `hawser.jsonc`, which may not be there yet or be wrong.
 *
 * @throws {HawserError} `config_invalid` with the file and wrangler's messages
 */
export async function readBindings(options: {
  readonly configPath: string
  readonly environment?: string | undefined
  readonly logger: Logger
}): Promise<WorkerBindings> {
  const path = await findFile(options.configPath)
  const { wrangler } = readWrangler(path, options.environment, options.logger)
  return { path, networks: vpcNetworks(wrangler), services: vpcServices(wrangler) }
}
