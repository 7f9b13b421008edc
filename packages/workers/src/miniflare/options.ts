import { basename, dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import type { BindingDoors, HostPort, Logger } from '@hawser/core'
import type { MiniflareOptions, WorkerOptions } from 'miniflare'
import type { WorkerBundle, WorkerModule } from '../bundle/bundle.ts'
import { nodeCompat } from '../bundle/node-compat.ts'
import type { WorkerConfig } from '../config.ts'
import type { RuntimeModules } from '../runtime-modules.ts'
import { bindingOptions } from './bindings.ts'
import type { WorkersByName } from './bindings.ts'
import { durableObjectClasses } from './durable-objects.ts'
import { ownModules } from './own-modules.ts'
import { MiniflareLog } from './runtime-log.ts'
import type { RuntimeLog } from './runtime-log.ts'
import { invocationsWrapper, vpcParts } from './vpc.ts'
import type { OpenBinding } from './vpc.ts'

/** One Worker, ready to run. */
export interface WorkerParts {
  readonly config: WorkerConfig
  readonly compatibilityDate: string
  readonly bundle: WorkerBundle
  /** Open doors for each of `config.networks`. */
  readonly bindings: readonly OpenBinding[]
  /** Open doors for everything that goes through no binding. */
  readonly egress: BindingDoors
}

/** Everything that a workerd is made of: the Worker that answers requests, and those beside it. */
export interface RuntimeParts extends WorkerParts {
  /** Reached by service bindings, by the first and by each other. @default none */
  readonly others?: readonly WorkerParts[] | undefined
  readonly runtime: RuntimeModules
  readonly listen: HostPort
  /** Folder for all storage of simulated bindings. */
  readonly storage: string
  readonly logger: Logger
  /** For a developer at work; an edge does without. */
  readonly dev?: DevParts | undefined
}

/** What a developer wants besides: to step through the code, to run crons by hand. */
export interface DevParts {
  /** Port of 127.0.0.1 for DevTools. */
  readonly inspectorPort?: number | undefined
  /** Whether `/__scheduled` runs a cron trigger, as it does under wrangler's flag of that name. */
  readonly testScheduled: boolean
}

type Module = Extract<WorkerOptions['modules'], readonly unknown[]>[number]

/** Copies bytes: Miniflare asks for an array over a buffer of its own, and files are read into shared ones. */
function toModule({ path, type, contents }: WorkerModule): Module {
  return { path, type, contents: typeof contents === 'string' ? contents : new Uint8Array(contents) }
}

/** DevTools read the map from the script itself, and its sources from where they say. */
function withSourceMap(main: Module, folder: string, json: string): Module {
  const map = { ...(JSON.parse(json) as object), sourceRoot: `${pathToFileURL(folder).href}/` }
  const base64 = Buffer.from(JSON.stringify(map)).toString('base64')
  const comment = `//# sourceMappingURL=data:application/json;base64,${base64}`
  return { ...main, contents: `${String(main.contents)}\n${comment}\n` }
}

/** Where Miniflare's entry listens when nobody is to use it but this process. */
const ENTRY: HostPort = { host: '127.0.0.1', port: 0 }

/** Settings that keep Miniflare to this machine: nothing fetched, nothing reported, nothing written beside the project. */
function sharedOptions(
  { listen, storage, logger, dev }: RuntimeParts,
  log: RuntimeLog,
  onOutput: (end: Promise<void>) => void,
) {
  return {
    // Miniflare's own entry takes orders by header and path (crons, other people's URLs, stored objects): for a developer at
    // this machine, and for nobody else. What an edge serves is the Worker itself, see `workersOf`.
    ...(dev === undefined ? ENTRY : listen),
    cf: false, // a fixed `request.cf`; by default it is fetched from the vendor
    telemetry: { enabled: false },
    defaultPersistRoot: storage,
    defaultProjectTmpPath: storage, // e-mails that the Worker sends are put there
    unsafeTriggerHandlers: true, // `/cdn-cgi/handler/scheduled` of the entry runs a cron trigger, as in wrangler
    logRequests: false,
    log: new MiniflareLog(logger),
    ...(dev?.inspectorPort === undefined ? {} : { inspectorPort: dev.inspectorPort }),
    verbose: true, // without it workerd does not tell of uncaught exceptions
    structuredWorkerdLogs: true,
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => onOutput(log.read(stdout, stderr)),
  } as const satisfies Partial<MiniflareOptions>
}

/** Of the Worker's own classes; one may be bound without being named in a migration. */
function durableObjectNames({ wrangler, name }: WorkerConfig): ReadonlySet<string> {
  const bound = wrangler.durable_objects.bindings.filter(({ script_name: script = name }) => script === name)
  return new Set([...durableObjectClasses(wrangler).keys(), ...bound.map(({ class_name: className }) => className)])
}

/** One Worker and its wrappers. */
function workersOf(worker: WorkerParts, parts: RuntimeParts, workers: WorkersByName, scope: string): WorkerOptions[] {
  const { config, bundle, compatibilityDate } = worker
  const { runtime, logger, dev } = parts
  const flags = config.wrangler.compatibility_flags
  const [main, ...others] = bundle.modules
  const folder = dirname(main.path)
  const vpc = vpcParts(worker.bindings, worker.egress, runtime, flags, scope)
  const user = { name: basename(main.path), exports: bundle.exports, durableObjects: durableObjectNames(config) }
  const mode = nodeCompat(compatibilityDate, flags)
  const hasNodeSockets = mode === 'v1' || mode === 'v2'
  const testScheduled = dev?.testScheduled
  const { entry, others: own } = ownModules(folder, user, runtime, { hasNodeSockets, testScheduled })
  const inspected = dev?.inspectorPort !== undefined
  const mainModule = inspected ? withSourceMap(toModule(main), folder, bundle.sourceMap) : toModule(main)
  if (!vpc.ownSockets) {
    logger.warn(
      'compatibility flag disallow_importable_env: connect() of cloudflare:sockets reports every failure alike and takes a reset for an end, and node:net and node:tls are workerd’s own: no TLS over a stream of another kind',
    )
  }
  const options = {
    name: config.name,
    compatibilityDate,
    compatibilityFlags: flags,
    modulesRoot: folder,
    modules: vpc.ownSockets
      ? [entry, mainModule, ...others.map(toModule), ...own]
      : [mainModule, ...others.map(toModule)],
    ...(inspected ? { unsafeInspectorProxy: true } : {}),
    ...(dev === undefined ? { unsafeDirectSockets: [parts.listen] } : {}),
    stripCfConnectingIp: false, // the edge decides which headers leave
    ...bindingOptions(config, logger, workers),
    ...vpc.worker,
  } as const satisfies WorkerOptions
  return [options, ...vpc.wrappers]
}

/**
 * Miniflare's options for the Workers of one workerd. This folder alone knows Miniflare's shape.
 *
 * @param onOutput called each time workerd is started, with a promise of the end of its output
 */
export function miniflareOptions(
  parts: RuntimeParts,
  log: RuntimeLog,
  onOutput: (end: Promise<void>) => void,
): MiniflareOptions {
  const all = [parts, ...(parts.others ?? [])]
  const byName = new Map(all.map(({ config }) => [config.name, config]))
  // The first answers requests: its own options come first of all.
  const workers = all.flatMap((worker, at) => workersOf(worker, parts, byName, at === 0 ? '' : `${at}-`))
  return { ...sharedOptions(parts, log, onOutput), workers: [...workers, invocationsWrapper(parts.runtime)] }
}
