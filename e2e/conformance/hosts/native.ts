import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Log, LogLevel, Miniflare } from 'miniflare'
import { post } from './host.ts'
import type { Host, HostOptions } from './host.ts'
import { WORKER } from './worker.ts'

async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [WORKER.main],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'esnext',
    external: ['cloudflare:*'],
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  })
  return result.outputFiles[0]?.text ?? ''
}

/** The measure: workerd's own `cloudflare:sockets`, on a network that allows loopback and trusts the test CA. */
export async function startNative({ harnessUrl, caPem }: HostOptions): Promise<Host> {
  const runtime = new Miniflare({
    name: WORKER.name,
    host: '127.0.0.1',
    port: 0,
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: await bundle() }],
    compatibilityDate: WORKER.compatibilityDate,
    compatibilityFlags: [...WORKER.compatibilityFlags],
    bindings: { HARNESS: harnessUrl },
    outboundService: { network: { allow: ['private'], tlsOptions: { trustedCertificates: [caPem] } } },
    log: new Log(LogLevel.NONE),
    // What workerd has to say of failed handshakes and the like is what the behaviours are about.
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      stdout.resume()
      stderr.resume()
    },
  })
  const url = await runtime.ready
  return {
    name: 'native',
    hasBinding: false,
    carryOut: (order) => post(url, order),
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}
