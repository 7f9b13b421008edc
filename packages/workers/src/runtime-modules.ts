import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { bundleFailed } from './bundle/build-errors.ts'

/** The modules that run inside workerd, each bundled into one script. */
export interface RuntimeModules {
  /** Behind `vpc_networks` bindings. */
  readonly vpcNetwork: string
  /** Behind the hidden binding that `runtime` uses. */
  readonly egress: string
  /** Behind the hidden binding that those two use. */
  readonly invocations: string
  /** `hawser:runtime`, which the following import. */
  readonly runtime: string
  /** `hawser:exports`, which the entry module imports. */
  readonly exports: string
  /** `hawser:scheduled`, which the entry module imports where crons are tried by hand. */
  readonly scheduled: string
  /** In the place of `cloudflare:sockets`. */
  readonly sockets: string
  /** In the place of `node:net`. */
  readonly net: string
  /** In the place of `node:tls`. */
  readonly tls: string
}

/** `runtime` is compiled with workerd's types, `runtime-node` with those of Node.js. */
const SOURCES = {
  vpcNetwork: 'runtime/vpc-network.worker.ts',
  egress: 'runtime/egress.worker.ts',
  invocations: 'runtime/invocations.worker.ts',
  runtime: 'runtime/runtime.worker.ts',
  exports: 'runtime/exports.worker.ts',
  scheduled: 'runtime-dev/scheduled.worker.ts',
  sockets: 'runtime/sockets.worker.ts',
  net: 'runtime-node/net.worker.ts',
  tls: 'runtime-node/tls.worker.ts',
} as const satisfies Record<keyof RuntimeModules, string>

/**
 * Under which name a stack trace has one of them: no path, which would be taken for a file of the project, and known to
 * `stackMapper`.
 */
export function withSourceName(script: string, name: string): string {
  return `${script}//# sourceURL=hawser:${name}\n`
}

/** They are TypeScript as everything else; workerd takes JavaScript, and from each wrapped binding only one file. */
async function bundleRuntime(): Promise<RuntimeModules> {
  const folder = import.meta.dirname
  const result = await build({
    entryPoints: Object.fromEntries(Object.entries(SOURCES).map(([name, file]) => [name, join(folder, file)])),
    bundle: true,
    write: false,
    outdir: folder,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    external: ['cloudflare:*', 'cloudflare-internal:*', 'node:*', 'node-internal:*', 'hawser:*'],
    // The build must depend on our own settings alone, wherever the package ends up.
    tsconfigRaw: {},
    logLevel: 'silent',
  })
  const text = (name: string): string =>
    result.outputFiles.find(({ path }) => path === join(folder, `${name}.js`))?.text ?? ''
  const named = Object.entries(SOURCES).map(([name, file]) => [
    name,
    withSourceName(text(name), basename(file, '.worker.ts')),
  ])
  return Object.fromEntries(named) as Record<keyof RuntimeModules, string>
}

let bundled: Promise<RuntimeModules> | undefined

/** Bundled once for each process. */
export function runtimeModules(): Promise<RuntimeModules> {
  return (bundled ??= bundleRuntime().catch(async (error: unknown) => {
    throw await bundleFailed(error, undefined)
  }))
}
