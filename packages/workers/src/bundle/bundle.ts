import { existsSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { context } from 'esbuild'
import type { BuildContext, BuildOptions, BuildResult, Plugin } from 'esbuild'
import type { WorkerConfig } from '../config.ts'
import { bundleFailed, formatBuildMessages } from './build-errors.ts'
import { collectModules, findModules } from './module-collector.ts'
import type { CollectedModule, ModuleCollector } from './module-collector.ts'
import { nodeCompat, nodeCompatPlugins } from './node-compat.ts'
import type { NodeCompat } from './node-compat.ts'
import { moduleRules } from './rules.ts'
import type { ModuleRules, ModuleType } from './rules.ts'
import { stackMapper } from './source-positions.ts'
import type { MapStack } from './source-positions.ts'

/** One module as workerd is given it. */
export interface WorkerModule {
  /** Absolute path; relative imports between modules follow it. Nothing need exist there. */
  readonly path: string
  readonly type: ModuleType
  readonly contents: string | Uint8Array
}

export interface WorkerBundle {
  /** The entry point first. */
  readonly modules: readonly [WorkerModule, ...WorkerModule[]]
  /** What the entry point exports. */
  readonly exports: readonly string[]
  /** Absolute paths of every file that went in, for whoever watches them. */
  readonly inputs: readonly string[]
  readonly mapStack: MapStack
  /** JSON; its sources are relative to the folder of the first module. */
  readonly sourceMap: string
}

/** Which entries of a package's `exports` are for workerd, best first. */
const CONDITIONS = ['workerd', 'worker', 'browser']

/** From this date, or with `global_navigator`, workerd has a `navigator` that libraries look at. */
const NAVIGATOR_SINCE = '2022-03-21'

/** Constants that code is compiled with; those of the configuration come last. */
function defines({ wrangler }: WorkerConfig, compatibilityDate: string): Record<string, string> {
  const flags = wrangler.compatibility_flags
  const hasNavigator =
    flags.includes('global_navigator') ||
    (compatibilityDate >= NAVIGATOR_SINCE && !flags.includes('no_global_navigator'))
  const mode = JSON.stringify(process.env['NODE_ENV'] ?? 'development')
  return {
    ...(hasNavigator ? { 'navigator.userAgent': '"Cloudflare-Workers"' } : {}),
    'process.env.NODE_ENV': mode,
    'global.process.env.NODE_ENV': mode,
    'globalThis.process.env.NODE_ENV': mode,
    ...wrangler.define,
  }
}

/** `alias`, before the polyfills have their say; esbuild's own option would come after them. */
function aliasPlugin(alias: Readonly<Record<string, string>>, root: string): Plugin {
  const own = { hawserAlias: true } as const
  return {
    name: 'hawser-alias',
    setup(builder) {
      builder.onResolve({ filter: /.*/ }, ({ path, kind, importer, pluginData }) => {
        const target = alias[path]
        if (target === undefined || (pluginData as unknown) === own) return undefined
        return builder.resolve(target, { kind, importer, resolveDir: root, pluginData: own })
      })
    },
  }
}

/** `cloudflare:` modules are workerd's, or ours. */
const cloudflarePlugin: Plugin = {
  name: 'hawser-cloudflare-imports',
  setup(builder) {
    builder.onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, external: true }))
  },
}

/** wrangler's options for esbuild, without its development middleware, which only wrangler's own server needs. */
function esbuildOptions(config: WorkerConfig, compatibilityDate: string, plugins: Plugin[]) {
  const { wrangler, main } = config
  const root = dirname(config.path)
  return {
    entryPoints: [main],
    bundle: wrangler.no_bundle !== true,
    absWorkingDir: root,
    // Nothing is written there: it is what stack traces and source maps are relative to.
    outdir: resolve(wrangler.base_dir ?? dirname(main)),
    entryNames: basename(main, extname(main)),
    write: false,
    format: 'esm',
    target: 'es2024',
    supported: { 'import-source': true },
    loader: { '.js': 'jsx', '.mjs': 'jsx', '.cjs': 'jsx' },
    platform: 'browser',
    conditions: CONDITIONS,
    sourcemap: 'external',
    metafile: true,
    keepNames: wrangler.keep_names ?? true,
    minify: wrangler.minify ?? false,
    define: defines(config, compatibilityDate),
    jsxFactory: wrangler.jsx_factory,
    jsxFragment: wrangler.jsx_fragment,
    logLevel: 'silent',
    // wrangler has made it relative to the current folder; esbuild would take it from `absWorkingDir`.
    ...(wrangler.tsconfig === undefined ? {} : { tsconfig: resolve(wrangler.tsconfig) }),
    // esbuild refuses `external` and useless plugins where nothing is bundled.
    ...(wrangler.no_bundle === true ? {} : { external: ['__STATIC_CONTENT_MANIFEST'], plugins }),
  } as const satisfies BuildOptions
}

/** wrangler's rule: what exports no default is a Worker of the old format, which has no bindings in `env`. */
function checkFormat(exports: readonly string[], main: string): void {
  if (exports.includes('default')) return
  throw new HawserError(
    'config_invalid',
    `${relative('', main)}: the entry point has no default export, so it is a Worker in the service-worker format, which has no env and cannot use bindings. ` +
      'Export an object instead: export default { async fetch(request, env, ctx) { … } }',
  )
}

/** Classes that bindings name must be exported by the entry point. */
function checkClasses({ wrangler, name, main }: WorkerConfig, exports: readonly string[]): void {
  const kinds = [
    ['Durable Objects', wrangler.durable_objects.bindings],
    ['Workflows', wrangler.workflows],
  ] as const
  for (const [kind, bindings] of kinds) {
    const missing = bindings
      .filter((binding) => binding.script_name === undefined || binding.script_name === name)
      .map((binding) => binding.class_name)
      .filter((className) => !exports.includes(className))
    if (missing.length > 0) {
      throw new HawserError(
        'config_invalid',
        `Your Worker depends on the following ${kind}, which are not exported in your entrypoint file: ${missing.join(', ')}.\n` +
          `You should export these objects from your entrypoint, ${relative('', main)}.`,
      )
    }
  }
}

/** Absolute paths of the files among esbuild's inputs; the rest are virtual. */
function inputFiles(result: BuildResult<{ metafile: true }>, root: string): string[] {
  return Object.keys(result.metafile.inputs)
    .map((input) => resolve(root, input))
    .filter((file) => existsSync(file))
}

/** The bundle and what was left out of it, under the paths by which they import each other. */
function modulesOf(
  result: BuildResult<{ metafile: true; write: false }>,
  collected: Iterable<CollectedModule>,
): Pick<WorkerBundle, 'modules' | 'mapStack' | 'sourceMap'> {
  const script = result.outputFiles.find(({ path }) => !path.endsWith('.map'))
  const map = result.outputFiles.find(({ path }) => path.endsWith('.map'))
  if (script === undefined || map === undefined) throw new HawserError('bundle_failed', 'esbuild wrote no bundle')
  const root = dirname(script.path)
  const others = [...collected].map(({ name, type, contents }) => ({ path: join(root, name), type, contents }))
  return {
    modules: [{ path: script.path, type: 'ESModule', contents: script.text }, ...others],
    mapStack: stackMapper(script.path, root, map.text),
    sourceMap: map.text,
  }
}

interface Setup {
  readonly builder: BuildContext<{ metafile: true; write: false }>
  readonly collector: ModuleCollector
}

/** esbuild set up for one Worker. Building again takes up what has not changed since the last time. */
export class WorkerBundler implements AsyncDisposable {
  readonly #config: WorkerConfig
  readonly #compatibilityDate: string
  readonly #logger: Logger
  readonly #rules: ModuleRules
  readonly #mode: NodeCompat
  #set: Promise<Setup> | undefined

  constructor(config: WorkerConfig, compatibilityDate: string, logger: Logger) {
    const { compatibility_flags: flags, rules } = config.wrangler
    this.#config = config
    this.#compatibilityDate = compatibilityDate
    this.#logger = logger
    this.#rules = moduleRules(rules, logger)
    this.#mode = nodeCompat(compatibilityDate, flags)
  }

  /**
   * Bundles as wrangler does, without writing anything.
   *
   * @throws {HawserError} `bundle_failed` with esbuild's messages; `config_invalid` for what a bundle shows to be wrong with
   * the configuration: the service-worker format, classes that are bound and not exported
   */
  async build(): Promise<WorkerBundle> {
    const config = this.#config
    const { wrangler, main, path } = config
    try {
      // Modules that nothing imports are looked for anew each time.
      if (wrangler.find_additional_modules ?? wrangler.no_bundle ?? false) await this.#release()
      const { builder, collector } = await (this.#set ??= this.#setUp())
      const result = await builder.rebuild()
      if (result.warnings.length > 0) {
        this.#logger.warn(await formatBuildMessages(result.warnings, 'warning', this.#mode))
      }
      const exports =
        Object.values(result.metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined)?.exports ?? []
      checkFormat(exports, main)
      checkClasses(config, exports)
      const collected = [...collector.modules.values()]
      const inputs = new Set([...inputFiles(result, dirname(path)), ...collected.map(({ file }) => file)])
      return { ...modulesOf(result, collected), exports, inputs: [...inputs] }
    } catch (error) {
      throw await bundleFailed(error, this.#mode)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#release()
  }

  async #setUp(): Promise<Setup> {
    const { wrangler, main, files, path } = this.#config
    const additional = wrangler.find_additional_modules ?? wrangler.no_bundle ?? false
    const moduleRoot = resolve(wrangler.base_dir ?? dirname(main))
    const found = additional ? await findModules(moduleRoot, this.#rules, new Set([main, ...files])) : []
    const collector = collectModules(this.#rules, { keepNames: wrangler.preserve_file_names ?? false, found })
    const plugins = [
      ...(wrangler.alias === undefined ? [] : [aliasPlugin(wrangler.alias, dirname(path))]),
      collector.plugin,
      ...nodeCompatPlugins(this.#mode, this.#compatibilityDate, wrangler.compatibility_flags),
      cloudflarePlugin,
    ]
    return { collector, builder: await context(esbuildOptions(this.#config, this.#compatibilityDate, plugins)) }
  }

  async #release(): Promise<void> {
    const set = await this.#set?.catch(() => {})
    this.#set = undefined
    await set?.builder.dispose()
  }
}

/** Bundles once. See {@link WorkerBundler.build}. */
export async function bundleWorker(
  config: WorkerConfig,
  compatibilityDate: string,
  logger: Logger,
): Promise<WorkerBundle> {
  await using bundler = new WorkerBundler(config, compatibilityDate, logger)
  return await bundler.build()
}
