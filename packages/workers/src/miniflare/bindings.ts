import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Logger } from '@hawser/core'
import type { Config } from '@cloudflare/workers-utils'
import type { WorkerOptions } from 'miniflare'
import type { WorkerConfig } from '../config.ts'
import { durableObjectClasses } from './durable-objects.ts'

/** The part of Miniflare's options for one Worker that says what is in its `env`. */
export type BindingOptions = Partial<WorkerOptions>

/** Miniflare takes records by the binding's name where wrangler has lists. */
function byBinding<T extends { readonly binding: string }, V>(
  entries: readonly T[],
  value: (entry: T) => V,
): Record<string, V> {
  return Object.fromEntries(entries.map((entry) => [entry.binding, value(entry)]))
}

/** Ids keep stores apart; where there is none yet, the binding's name does. */
function storage({ kv_namespaces, r2_buckets, d1_databases }: Config): BindingOptions {
  return {
    kvNamespaces: byBinding(kv_namespaces, ({ id, binding }) => id ?? binding),
    r2Buckets: byBinding(r2_buckets, ({ bucket_name: name, binding }) => name ?? binding),
    d1Databases: byBinding(
      d1_databases,
      ({ preview_database_id: preview, database_id: id, binding }) => preview ?? id ?? binding,
    ),
  }
}

/** Producers and consumers meet in the one process, so a Worker can consume its own queue. */
function queues({ queues: { producers = [], consumers = [] } }: Config): BindingOptions {
  return {
    queueProducers: byBinding(producers, ({ queue, binding, delivery_delay: deliveryDelay }) => ({
      queueName: queue ?? binding,
      deliveryDelay,
    })),
    queueConsumers: Object.fromEntries(
      consumers.map((consumer) => [
        consumer.queue,
        {
          maxBatchSize: consumer.max_batch_size,
          maxBatchTimeout: consumer.max_batch_timeout,
          maxRetries: consumer.max_retries,
          deadLetterQueue: consumer.dead_letter_queue,
          retryDelay: consumer.retry_delay,
        },
      ]),
    ),
  }
}

/** By name: the Workers that run side by side, of which each may be bound to the others. */
export type WorkersByName = ReadonlyMap<string, WorkerConfig>

/** Bindings to a Worker can be answered where that Worker runs. */
function isHere(workers: WorkersByName, script: string | undefined, what: string, logger: Logger): boolean {
  if (script === undefined || workers.has(script)) return true
  logger.warn(
    `${what} belongs to the Worker "${script}", which does not run here, and is left out: hawser dev -c … -c … runs several`,
  )
  return false
}

function durableObjects(config: WorkerConfig, workers: WorkersByName, logger: Logger): BindingOptions {
  const classes = durableObjectClasses(config.wrangler)
  const bound = config.wrangler.durable_objects.bindings.filter(({ name, script_name: script }) =>
    isHere(workers, script, `durable_objects: "${name}"`, logger),
  )
  const isOwn = (script = config.name): boolean => script === config.name
  const names = new Set(bound.filter((one) => isOwn(one.script_name)).map(({ class_name: className }) => className))
  const stored = (className: string, script = config.name): boolean | undefined => {
    const owner = workers.get(script) ?? config
    return durableObjectClasses(owner.wrangler).get(className)
  }
  return {
    durableObjects: Object.fromEntries(
      bound.map(({ name, class_name: className, script_name: script }) => [
        name,
        { className, useSQLite: stored(className, script), ...(isOwn(script) ? {} : { scriptName: script }) },
      ]),
    ),
    // Reachable through `ctx.exports` alone.
    additionalUnboundDurableObjects: [...classes]
      .filter(([className]) => !names.has(className))
      .map(([className, useSQLite]) => ({ className, useSQLite })),
  }
}

/** Service bindings and Workflows. */
function services(config: WorkerConfig, workers: WorkersByName, logger: Logger): BindingOptions {
  const { services: bound = [], workflows } = config.wrangler
  return {
    serviceBindings: byBinding(
      bound.filter(({ binding, service }) => isHere(workers, service, `services: "${binding}"`, logger)),
      ({ service, entrypoint, props }) => ({ name: service, entrypoint, props }),
    ),
    workflows: byBinding(
      workflows.filter(({ binding, script_name: script }) =>
        isHere(workers, script, `workflows: "${binding}"`, logger),
      ),
      ({ name, class_name: className, script_name: script }) => ({
        name,
        className,
        ...(script === undefined || script === config.name ? {} : { scriptName: script }),
      }),
    ),
  }
}

/** A Hyperdrive binding needs to know a database near by; wrangler takes the same variables. */
function hyperdrives({ hyperdrive }: Config, logger: Logger): BindingOptions {
  const found = hyperdrive.flatMap(({ binding, localConnectionString }) => {
    const text =
      process.env[`CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_${binding}`] ??
      process.env[`WRANGLER_HYPERDRIVE_LOCAL_CONNECTION_STRING_${binding}`] ??
      localConnectionString
    if (text !== undefined) return [[binding, text] as const]
    logger.warn(`hyperdrive: "${binding}" has no localConnectionString and is left out`)
    return []
  })
  return { hyperdrives: Object.fromEntries(found) }
}

/** wrangler has made these paths relative to the current folder. */
function blobs({ wasm_modules, text_blobs, data_blobs }: Config): BindingOptions {
  const absolute = (paths: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, resolve(path)]))
  return {
    wasmBindings: absolute(wasm_modules),
    textBlobBindings: absolute(text_blobs),
    dataBlobBindings: absolute(data_blobs),
  }
}

/** Static files; `!` before a route sends it to the files although a wider one goes to the Worker. */
function assets({ assets: configured }: Config, folder: string, logger: Logger): BindingOptions {
  if (configured?.directory === undefined) return {}
  const { run_worker_first: first, html_handling, not_found_handling, binding } = configured
  const routes = Array.isArray(first) ? first : []
  const directory = resolve(folder, configured.directory)
  // Often what a build is yet to make: the Worker runs without, but nobody should wonder where the files are.
  if (!existsSync(directory)) logger.warn(`assets: there is no folder ${directory}: no file is served from it`)
  return {
    assets: {
      directory,
      binding,
      routerConfig: {
        has_user_worker: true,
        invoke_user_worker_ahead_of_assets: first === true,
        ...(routes.length === 0
          ? {}
          : {
              static_routing: {
                user_worker: routes.filter((route) => !route.startsWith('!')),
                asset_worker: routes.filter((route) => route.startsWith('!')).map((route) => route.slice(1)),
              },
            }),
      },
      assetConfig: { html_handling, not_found_handling, has_static_routing: routes.length > 0 },
    },
  }
}

/** Bindings that need nothing but to be named. */
function others(config: Config): BindingOptions {
  return {
    versionMetadata: config.version_metadata?.binding,
    analyticsEngineDatasets: byBinding(config.analytics_engine_datasets, ({ dataset }) => ({
      dataset: dataset ?? 'dataset',
    })),
    ratelimits: Object.fromEntries(
      config.ratelimits.map(({ name, namespace_id, simple }) => [name, { namespace_id, simple }]),
    ),
    workerLoaders: byBinding(config.worker_loaders, () => ({})),
    email: { send_email: config.send_email.map(({ remote: _remote, ...binding }) => binding) },
  }
}

/** Further kinds that Miniflare simulates, each its own way. */
function simulated(config: Config, folder: string): BindingOptions {
  const { images, pipelines, secrets_store_secrets: secrets, site, stream, unsafe_hello_world: hello } = config
  return {
    secretsStoreSecrets: byBinding(secrets, ({ store_id, secret_name }) => ({ store_id, secret_name })),
    pipelines: byBinding(pipelines, ({ stream: name, pipeline, binding }) => name ?? pipeline ?? binding),
    helloWorld: byBinding(hello, ({ enable_timer }) => ({ enable_timer })),
    ...(images === undefined ? {} : { images: { binding: images.binding } }),
    ...(stream === undefined ? {} : { stream: { binding: stream.binding } }),
    ...(site?.bucket === undefined
      ? {}
      : { sitePath: resolve(folder, site.bucket), siteInclude: site.include, siteExclude: site.exclude }),
  }
}

/** Keys of the configuration whose bindings only the vendor's own machines provide. */
const REMOTE_ONLY = [
  'agent_memory',
  'ai',
  'ai_search',
  'ai_search_namespaces',
  'artifacts',
  'browser',
  'dispatch_namespaces',
  'flagship',
  'media',
  'mtls_certificates',
  'vectorize',
  'websearch',
] as const satisfies readonly (keyof Config)[]

/** Keys of the configuration that nothing here provides yet. */
const UNSUPPORTED = [
  'logfwdr',
  'streaming_tail_consumers',
  'tail_consumers',
  'unsafe',
] as const satisfies readonly (keyof Config)[]

/** Whether anything is written under a key; wrangler fills in empty lists and objects. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false
  return typeof value === 'object' ? Object.values(value).some(isSet) : true
}

/** One line for each key, so that nobody looks for a binding that cannot be there. */
function warnOfUnsupported(config: Config, logger: Logger): void {
  for (const key of REMOTE_ONLY) {
    if (isSet(config[key])) {
      logger.warn(`"${key}" runs at Cloudflare alone and has no local form: its bindings are missing from env`)
    }
  }
  if (isSet(config.containers)) {
    logger.warn(
      '"containers" are not started here: the Durable Objects that they belong to run, the containers themselves do not, and ctx.container is undefined',
    )
  }
  for (const key of UNSUPPORTED) {
    if (isSet(config[key])) logger.warn(`"${key}" is not supported yet: its bindings are missing from env`)
  }
}

/**
 * The bindings that Miniflare provides by itself. Storage is local whatever `remote` says; what cannot be provided is named
 * in a warning and left out, so that the rest of the Worker runs.
 *
 * @param workers all that run side by side, this one included
 */
export function bindingOptions(
  config: WorkerConfig,
  logger: Logger,
  workers: WorkersByName = new Map([[config.name, config]]),
): BindingOptions {
  const { wrangler } = config
  const folder = dirname(config.path)
  warnOfUnsupported(wrangler, logger)
  return {
    bindings: config.vars as NonNullable<WorkerOptions['bindings']>,
    ...storage(wrangler),
    ...queues(wrangler),
    ...durableObjects(config, workers, logger),
    ...services(config, workers, logger),
    ...hyperdrives(wrangler, logger),
    ...blobs(wrangler),
    ...assets(wrangler, folder, logger),
    ...simulated(wrangler, folder),
    ...others(wrangler),
  }
}
