import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild'
import { globToRegExp } from './rules.ts'
import type { ModuleRule, ModuleRules, ModuleType } from './rules.ts'

/** A module beside the bundle. */
export interface CollectedModule {
  /** As imported, relative to the entry module. */
  readonly name: string
  readonly type: ModuleType
  readonly contents: Buffer
  /** Absolute path it was read from. */
  readonly file: string
}

export interface ModuleCollector {
  readonly plugin: Plugin
  /** Filled while esbuild runs. */
  readonly modules: Map<string, CollectedModule>
}

/** Marks a resolution of our own, so that it is not caught again. */
const OWN = { hawserResolves: true } as const

function isOwn(args: OnResolveArgs): boolean {
  return (args.pluginData as unknown) === OWN
}

/** The part before a query, as in `./add.wasm?module`. */
function withoutQuery(path: string): string {
  const query = path.indexOf('?')
  return query === -1 ? path : path.slice(0, query)
}

/** By esbuild's own rules, a package's `exports` included; else as a path, for files that are not imported as modules. */
async function locate(build: PluginBuild, path: string, args: OnResolveArgs): Promise<string> {
  const { kind, importer, resolveDir } = args
  const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: OWN })
  return found.errors.length === 0 && !found.external ? found.path : join(resolveDir, path)
}

/** What `rule` makes of one import: a module of its own, left out of the bundle. */
async function collect(
  build: PluginBuild,
  rule: ModuleRule,
  args: OnResolveArgs,
  options: { readonly keepNames: boolean; readonly modules: Map<string, CollectedModule> },
): Promise<OnResolveResult> {
  const path = withoutQuery(args.path)
  const file = await locate(build, path, args)
  let contents: Buffer
  try {
    contents = await readFile(file)
  } catch {
    return { errors: [{ text: `Could not resolve "${args.path}"` }] }
  }
  // The hash keeps apart files of one name from different folders; it is wrangler's naming.
  const hash = createHash('sha1').update(contents).digest('hex')
  const name = options.keepNames ? path : `./${hash}-${basename(path)}`
  options.modules.set(name, { name, type: rule.type, contents, file })
  return { path: name, external: true }
}

/** Such rules concern only what `find_additional_modules` finds: everything else that is a script is bundled. */
function isScript({ type }: ModuleRule): boolean {
  return type === 'ESModule' || type === 'CommonJS'
}

/**
 * An esbuild plugin that takes imports matching a rule out of the bundle. Scripts stay in it, unless they are among
 * `found`, the modules that {@link findModules} found beforehand.
 */
export function collectModules(
  rules: ModuleRules,
  options: { readonly keepNames: boolean; readonly found: readonly CollectedModule[] },
): ModuleCollector {
  const modules = new Map(options.found.map((module) => [module.name, module]))
  const found = new Set(options.found.map(({ file }) => file))
  const plugin: Plugin = {
    name: 'hawser-modules',
    setup(build) {
      build.onStart(() => {
        modules.clear() // of an earlier build with the same plugin
        for (const module of options.found) modules.set(module.name, module)
      })
      if (found.size > 0) {
        build.onResolve({ filter: /^\.{0,2}\// }, (args) =>
          found.has(resolve(args.resolveDir, withoutQuery(args.path)))
            ? { path: args.path, external: true }
            : undefined,
        )
      }
      for (const rule of rules.active.filter((candidate) => !isScript(candidate))) {
        for (const glob of rule.globs) {
          build.onResolve({ filter: globToRegExp(glob) }, (args) =>
            isOwn(args) ? undefined : collect(build, rule, args, { keepNames: options.keepNames, modules }),
          )
        }
      }
      for (const rule of rules.shadowed.filter((candidate) => !isScript(candidate))) {
        for (const glob of rule.globs) {
          const text = `matches only the module rule ${JSON.stringify(rule)}, which an earlier rule of its type hides; add "fallthrough": true to that one`
          build.onResolve({ filter: globToRegExp(glob) }, (args) =>
            isOwn(args) ? undefined : { errors: [{ text: `"${args.path}" ${text}` }] },
          )
        }
      }
    },
  }
  return { plugin, modules }
}

/** Every file under `root` that a rule matches: `find_additional_modules`. Names are relative to `root`, with `/`. */
export async function findModules(
  root: string,
  rules: ModuleRules,
  except: ReadonlySet<string>,
): Promise<CollectedModule[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => resolve(entry.parentPath, entry.name))
    .filter((file) => !except.has(file) && !file.includes(`${sep}.wrangler${sep}`))
  const matched = files.flatMap((file) => {
    const name = relative(root, file).split(sep).join('/')
    const rule = rules.active.find(({ globs }) => globs.some((glob) => globToRegExp(glob, 'segments').test(name)))
    return rule === undefined ? [] : [{ name, file, type: rule.type }]
  })
  return Promise.all(matched.map(async (module) => ({ ...module, contents: await readFile(module.file) })))
}
