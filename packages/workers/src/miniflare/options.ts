import { basename, dirname } from 'node:path'
import type { Readable } from 'node:stream'
import type { BindingDoors, HostPort, Logger } from '@hawser/core'
import type { MiniflareOptions, WorkerOptions } from 'miniflare'
import type { WorkerBundle, WorkerModule } from '../bundle/bundle.ts'
import type { WorkerConfig } from '../config.ts'
import type { RuntimeModules } from '../runtime-modules.ts'
import { bindingOptions } from './bindings.ts'
import { durableObjectClasses } from './durable-objects.ts'
import { ownModules } from './own-modules.ts'
import { MiniflareLog } from './runtime-log.ts'
import type { RuntimeLog } from './runtime-log.ts'
import { vpcParts } from './vpc.ts'
import type { OpenBinding } from './vpc.ts'

/** Everything that a running Worker is made of. */
export interface RuntimeParts {
  readonly config: WorkerConfig
  readonly compatibilityDate: string
  readonly bundle: WorkerBundle
  readonly runtime: RuntimeModules
  /** Open doors for each of `config.networks`. */
  readonly bindings: readonly OpenBinding[]
  /** Open doors for everything that goes through no binding. */
  readonly egress: BindingDoors
  readonly listen: HostPort
  /** Folder for all storage of simulated bindings. */
  readonly storage: string
  readonly logger: Logger
}

type Module = Extract<WorkerOptions['modules'], readonly unknown[]>[number]

/** Copies bytes: Miniflare asks for an array over a buffer of its own, and files are read into shared ones. */
function toModule({ path, type, contents }: WorkerModule): Module {
  return { path, type, contents: typeof contents === 'string' ? contents : new Uint8Array(contents) }
}

/** Settings that keep Miniflare to this machine: nothing fetched, nothing reported, nothing written beside the project. */
function sharedOptions(
  { listen, storage, logger }: RuntimeParts,
  log: RuntimeLog,
  onOutput: (end: Promise<void>) => void,
) {
  return {
    host: listen.host,
    port: listen.port,
    cf: false, // a fixed `request.cf`; by default it is fetched from the vendor
    telemetry: { enabled: false },
    defaultPersistRoot: storage,
    defaultProjectTmpPath: storage, // e-mails that the Worker sends are put there
    unsafeTriggerHandlers: true, // `/cdn-cgi/handler/scheduled` runs a cron trigger, as in wrangler
    logRequests: false,
    log: new MiniflareLog(logger),
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

/**
 * Miniflare's options for one Worker. This folder alone knows Miniflare's shape.
 *
 * @param onOutput called each time workerd is started, with a promise of the end of its output
 */
export function miniflareOptions(
  parts: RuntimeParts,
  log: RuntimeLog,
  onOutput: (end: Promise<void>) => void,
): MiniflareOptions {
  const { config, bundle, runtime, logger } = parts
  const flags = config.wrangler.compatibility_flags
  const [main, ...others] = bundle.modules
  const folder = dirname(main.path)
  const vpc = vpcParts(parts.bindings, parts.egress, runtime, flags)
  const user = { name: basename(main.path), exports: bundle.exports, durableObjects: durableObjectNames(config) }
  const { entry, others: own } = ownModules(folder, user, runtime)
  if (!vpc.ownSockets) {
    logger.warn(
      'compatibility flag disallow_importable_env: connect() of cloudflare:sockets reports every failure alike and takes a reset for an end',
    )
  }
  const worker = {
    name: config.name,
    compatibilityDate: parts.compatibilityDate,
    compatibilityFlags: flags,
    modulesRoot: folder,
    modules: vpc.ownSockets
      ? [entry, ...bundle.modules.map(toModule), ...own]
      : [toModule(main), ...others.map(toModule)],
    stripCfConnectingIp: false, // the edge decides which headers leave
    ...bindingOptions(config, logger),
    ...vpc.worker,
  } as const satisfies WorkerOptions
  return { ...sharedOptions(parts, log, onOutput), workers: [worker, ...vpc.wrappers] }
}
