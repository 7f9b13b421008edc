import { builtinModules } from 'node:module'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Plugin } from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'
import type { DriverEntry } from '../matrix.ts'
import type { WorkerHost, WorkerSite } from './worker-host.ts'

/** workerd has Node's modules itself; all of them are left to it. */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup(builder) {
    builder.onResolve({ filter: /.*/ }, ({ path }) => {
      const name = path.replace(/^node:/, '')
      return builtinModules.includes(name) ? { path: `node:${name}`, external: true } : undefined
    })
  },
}

/** Packages of before ES modules call `require()`, which a module of workerd does not have. */
const REQUIRE = `
import { createRequire } from 'node:module'
const require = createRequire('/')`

async function bundle(entry: DriverEntry): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(`../fixtures/${entry.name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'esnext',
    external: ['cloudflare:*', 'node:*'],
    conditions: ['workerd', 'worker', 'browser'],
    define: {
      'navigator.userAgent': '"Cloudflare-Workers"',
      ...(entry.wrangler?.['define'] as Record<string, string>),
    },
    banner: { js: REQUIRE },
    alias: { ...(entry.wrangler?.['alias'] as Record<string, string>) },
    plugins: [nodeModules],
    logLevel: 'silent',
  })
  return result.outputFiles[0]?.text ?? ''
}

/** The measure: the same Workers on workerd alone, on a network that allows loopback and trusts the CA of the servers. */
export async function startNativeHost(caPem: string): Promise<WorkerHost> {
  return {
    async start(entry): Promise<WorkerSite> {
      const runtime = new Miniflare({
        name: 'driver',
        host: '127.0.0.1',
        port: 0,
        modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundle(entry) }],
        compatibilityDate: '2026-07-01',
        compatibilityFlags: ['nodejs_compat'],
        outboundService: { network: { allow: ['private', 'public'], tlsOptions: { trustedCertificates: [caPem] } } },
        log: new Log(LogLevel.NONE),
        handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
          stdout.resume()
          stderr.resume()
        },
      })
      const url = await runtime.ready
      return { url: url.origin, [Symbol.asyncDispose]: () => runtime.dispose() }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
