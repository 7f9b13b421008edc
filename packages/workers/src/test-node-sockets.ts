/** Workers that use `node:net` and `node:tls`, for tests. */
import type { TestContext } from 'node:test'
import { answering, startSite } from './test-site.ts'
import type { Site } from './test-site.ts'

/** Where the tests have an echo server. */
export const ECHO = { host: 'echo.internal', port: 7 } as const

/**
 * What such a Worker can use: `record(socket)` gives the list its events go to, `once(socket, name)` awaits one, `refused(f)`
 * says what calling `f` throws.
 */
export const HELPERS = `
  const shown = (value) => value instanceof Error ? value.code ?? value.message : value instanceof Uint8Array ? 'bytes ' + value.length : value
  const quiet = ['newListener', 'removeListener', 'prefinish', 'resume', 'pause', 'readable']
  const record = (socket) => {
    const events = []
    const emit = socket.emit
    socket.emit = function (name, ...args) {
      if (!quiet.includes(name)) events.push([name, ...args.map(shown)].join(' '))
      return emit.call(this, name, ...args)
    }
    socket.on('error', () => {})
    return events
  }
  const once = (socket, name) => new Promise((resolve) => socket.once(name, resolve))
  const refused = (f) => { try { f(); return 'accepted' } catch (error) { return error.name + ' ' + error.code + ': ' + error.message } }
  const ECHO = ${JSON.stringify(ECHO)}`

/** Starts a Worker that answers with what `body` returns; `config` is added to its wrangler file. */
export async function startNodeSite(
  t: TestContext,
  body: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  const imports = `import net from 'node:net'\nimport tls from 'node:tls'\nimport { Buffer } from 'node:buffer'\nimport { Duplex } from 'node:stream'`
  const source = answering(`${HELPERS}\n${body}`, imports)
  return startSite(t, { source, config: { compatibility_flags: ['nodejs_compat'], ...config } })
}
