import { createRequire } from 'node:module'
import { join } from 'node:path'
import { getCloudflarePreset, nonPrefixedNodeModules } from '@cloudflare/unenv-preset'
import type { Plugin, PluginBuild } from 'esbuild'
import { defineEnv } from 'unenv'

/** `v2`: polyfills and globals; `v1`: `node:` imports only; `als`: `node:async_hooks` only (wrangler's names). */
export type NodeCompat = 'v2' | 'v1' | 'als' | undefined

const require = createRequire(import.meta.url)

/** From this date `nodejs_compat` means `nodejs_compat_v2`. */
const V2_SINCE = '2024-09-23'

/** Which kind of Node.js compatibility the flags ask for. */
export function nodeCompat(compatibilityDate: string, flags: readonly string[]): NodeCompat {
  if (flags.includes('nodejs_compat_v2')) return 'v2'
  if (flags.includes('nodejs_compat')) {
    return compatibilityDate >= V2_SINCE && !flags.includes('no_nodejs_compat_v2') ? 'v2' : 'v1'
  }
  return flags.includes('nodejs_als') ? 'als' : undefined
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
}

/** esbuild's filters run in Go, so a plain list of names is much quicker than a look-up of ours in each call. */
function anyOf(names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.map(escape).join('|')})$`)
}

/** `require()` of a built-in becomes an import, which is all that workerd has. */
function importInsteadOfRequire(build: PluginBuild, builtin: RegExp): void {
  const namespace = 'hawser-required-builtin'
  build.onResolve({ filter: builtin }, ({ kind, path }) => (kind === 'require-call' ? { path, namespace } : undefined))
  build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
    contents: `import library from ${JSON.stringify(path)}\nmodule.exports = library`,
    loader: 'js',
  }))
}

/** Imports of what unenv replaces lead to its replacement, or stay outside where workerd has the module itself. */
function applyAliases(build: PluginBuild, alias: Readonly<Record<string, string>>, external: readonly string[]): void {
  const namespace = 'hawser-required-alias'
  const paths = new Map<string, string>()
  for (const [name, target] of Object.entries(alias)) {
    try {
      paths.set(name, require.resolve(target))
    } catch {
      // An alias of a package that is not installed: nothing of the Worker can import it either.
    }
  }
  build.onResolve({ filter: anyOf([...paths.keys()]) }, ({ kind, path }) => {
    const target = alias[path] ?? path
    const isStub = target.startsWith('unenv/npm/') || target.startsWith('unenv/mock/')
    if (kind === 'require-call' && isStub) return { path, namespace }
    return { path: paths.get(path) ?? target, external: external.includes(target) }
  })
  build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
    contents: `
      import * as module_ from ${JSON.stringify(path)}
      const exported = 'default' in module_ ? module_.default : {}
      for (const [name, value] of Object.entries(module_)) {
        if (name !== 'default') Object.defineProperty(exported, name, { value, enumerable: true })
      }
      module.exports = exported`,
    loader: 'js',
  }))
}

/** Globals such as `process` and `Buffer`: one injected module for each module of unenv that defines some. */
function injectGlobals(
  build: PluginBuild,
  inject: Readonly<Record<string, string | readonly string[]>>,
  polyfill: readonly string[],
): void {
  const marker = '_hawser_global_'
  const lines = new Map<string, string[]>()
  for (const [name, source] of Object.entries(inject)) {
    const [module = '', exported = 'default'] = typeof source === 'string' ? [source] : source
    const local = `value${lines.get(module)?.length ?? 0}`
    const line = `import { ${exported} as ${local} } from ${JSON.stringify(module)}\nglobalThis.${name} = ${local}`
    lines.set(module, [...(lines.get(module) ?? []), line])
  }
  // esbuild takes only paths here; these lead to no file, and are caught before it looks.
  const virtual = new Map(
    [...lines].map(([module, text]) => [
      join(import.meta.dirname, `${marker}${module.replaceAll('/', '-')}`),
      text.join('\n'),
    ]),
  )
  build.initialOptions.inject = [
    ...(build.initialOptions.inject ?? []),
    ...virtual.keys(),
    ...polyfill.map((module) => require.resolve(module)),
  ]
  const filter = new RegExp(marker)
  build.onResolve({ filter }, ({ path }) => (virtual.has(path) ? { path } : undefined))
  build.onLoad({ filter }, ({ path }) => {
    const contents = virtual.get(path)
    return contents === undefined ? undefined : { contents, loader: 'js', resolveDir: import.meta.dirname }
  })
}

/** wrangler's hybrid mode: what workerd has natively is used, the rest is polyfilled by unenv and Cloudflare's preset. */
function hybridPlugin(compatibilityDate: string, compatibilityFlags: readonly string[]): Plugin {
  return {
    name: 'hawser-nodejs-compat',
    setup(build) {
      const preset = getCloudflarePreset({ compatibilityDate, compatibilityFlags: [...compatibilityFlags] })
      // `debug` works as it is; unenv would replace it by a stub.
      const { env } = defineEnv({ presets: [preset, { alias: { debug: 'debug' } }], npmShims: true })
      importInsteadOfRequire(build, new RegExp(`^(?:${nonPrefixedNodeModules.map(escape).join('|')}|node:.+)$`))
      applyAliases(build, env.alias, env.external)
      injectGlobals(build, env.inject as Record<string, string | readonly string[]>, env.polyfill)
    },
  }
}

/** `node:` imports that no package answers stay in the bundle, for workerd to answer or refuse. */
function externalPlugin(filter: RegExp): Plugin {
  const own = { hawserResolves: true } as const
  return {
    name: 'hawser-node-imports',
    setup(build) {
      build.onResolve({ filter }, async ({ path, kind, resolveDir, importer, pluginData }) => {
        if ((pluginData as unknown) === own) return undefined
        const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: own })
        return found.errors.length > 0 ? { path, external: true } : found
      })
    },
  }
}

/** The esbuild plugins for a Worker's kind of Node.js compatibility. */
export function nodeCompatPlugins(mode: NodeCompat, compatibilityDate: string, flags: readonly string[]): Plugin[] {
  return mode === 'v2' ? [hybridPlugin(compatibilityDate, flags)] : [externalPlugin(/^node:/)]
}
