import { join } from 'node:path'
import { withSourceName } from '../runtime-modules.ts'
import type { RuntimeModules } from '../runtime-modules.ts'

/** In Miniflare's shape. */
interface Script {
  readonly type: 'ESModule'
  readonly path: string
  readonly contents: string
}

/** What the entry module has to know of the Worker's own. */
export interface UserModule {
  /** Its file's name, in the folder that all modules are relative to. */
  readonly name: string
  readonly exports: readonly string[]
  /** Those of the exports that are Durable Object classes. */
  readonly durableObjects: ReadonlySet<string>
}

export interface OwnModulesOptions {
  /** Whether the Worker may import `node:net` and `node:tls`. */
  readonly hasNodeSockets: boolean
  /** Whether `/__scheduled` runs the Worker's cron handler. @default false */
  readonly testScheduled?: boolean | undefined
}

/** The entry point comes first in the list of modules; the others may stand anywhere. */
export interface OwnModules {
  readonly entry: Script
  readonly others: readonly Script[]
}

/**
 * Every export goes out under its own name, wrapped. The user's module comes after ours, so that the hidden binding is gone
 * when the first line of theirs runs.
 */
function entryText({ name, exports, durableObjects }: UserModule, testScheduled: boolean): string {
  const main = JSON.stringify(`./${name}`)
  const wrapped = exports.map((exported, index) => {
    const key = JSON.stringify(exported)
    const value = `wrapExport(main[${key}], ${durableObjects.has(exported)})`
    return [
      `const export${index} = ${testScheduled && exported === 'default' ? `answerScheduled(${value})` : value}`,
      `export${index} as ${key}`,
    ]
  })
  return [
    "import { wrapExport } from 'hawser:exports'",
    ...(testScheduled ? ["import { answerScheduled } from 'hawser:scheduled'"] : []),
    `import * as main from ${main}`,
    `export * from ${main}`, // what esbuild cannot know of: names that come from modules outside the bundle
    ...wrapped.map(([line]) => line),
    `export { ${wrapped.map(([, name]) => name).join(', ')} }`,
    '',
  ].join('\n')
}

/**
 * Our modules beside the Worker's. One of the name of a built-in module takes its place: for static and dynamic imports and
 * `require()`, in every dependency.
 */
export function ownModules(
  folder: string,
  main: UserModule,
  runtime: RuntimeModules,
  { hasNodeSockets, testScheduled = false }: OwnModulesOptions,
): OwnModules {
  const script = (name: string, contents: string): Script => ({
    type: 'ESModule',
    path: join(folder, name),
    contents,
  })
  return {
    entry: script('__hawser_entry__.mjs', withSourceName(entryText(main, testScheduled), 'entry')),
    others: [
      script('hawser:runtime', runtime.runtime),
      script('hawser:exports', runtime.exports),
      ...(testScheduled ? [script('hawser:scheduled', runtime.scheduled)] : []),
      script('cloudflare:sockets', runtime.sockets),
      ...(hasNodeSockets ? [script('node:net', runtime.net), script('node:tls', runtime.tls)] : []),
    ],
  }
}
