import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HawserError } from '@hawser/core'
import type { Logger } from '@hawser/core'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { SIDE_VARIABLE } from '../demo/side.ts'
import type { DemoPorts, DemoStack } from '../demo/stack.ts'

interface DemoFlags {
  readonly check: boolean
  readonly json: boolean
  readonly port: number
}

/** What `examples/demo/wrangler.jsonc` names; taken ones are replaced by free ones. */
const PORTS: DemoPorts = { worker: 8787, database: 55_432, inventory: 58_080 }
const FREE: DemoPorts = { worker: 0, database: 0, inventory: 0 }

/** The first of `places` that exists: the repository's layout, then the published package's. */
function find(what: string, places: readonly string[]): string {
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path))
  if (found === undefined)
    throw new HawserError('storage_failed', `${what} is missing from this installation of Hawser`)
  return found
}

/** What the parts of the demo tell an operator is noise beside what the demo itself prints: shown with `--log-level debug`. */
function quiet(logger: Logger): Logger {
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info: (message, fields) => logger.debug(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
    error: (message, fields) => logger.error(message, fields),
    child: (fields) => quiet(logger.child(fields)),
  }
}

async function start(context: CommandContext, ports: DemoPorts): Promise<DemoStack> {
  const { startDemoStack } = await import('../demo/stack.ts')
  return startDemoStack({
    ports,
    example: find('examples/demo', ['../../../../examples/demo', '../examples/demo']),
    launcher: find('bin/hawser.mjs', ['../../bin/hawser.mjs', '../bin/hawser.mjs']),
    logger: quiet(context.logger),
    signal: context.signal,
  })
}

async function check(context: CommandContext, flags: DemoFlags): Promise<void> {
  const { runChecks } = await import('../demo/check.ts')
  await using stack = await start(context, FREE)
  const results = []
  for await (const result of runChecks(stack)) {
    results.push(result)
    if (!flags.json) context.out.line(`${result.ok ? 'ok  ' : 'FAIL'}  ${result.name}: ${result.detail}`)
  }
  if (flags.json) context.out.json(results)
  const failed = results.filter((result) => !result.ok).length
  if (failed > 0) throw new HawserError('proxy_internal_error', `${failed} of ${results.length} checks failed`)
}

async function show(context: CommandContext, flags: DemoFlags): Promise<void> {
  const { describeStack } = await import('../demo/stack.ts')
  const { servePage } = await import('../demo/page.ts')
  if (!flags.json) context.out.line('Starting a private network, an edge, a connector and a Worker …')
  await using stack = await start(context, PORTS)
  await using page = await servePage(stack, flags.port)
  if (flags.json) {
    context.out.json({
      page: page.url,
      worker: stack.worker.url,
      database: stack.databasePort,
      inventory: stack.inventoryPort,
    })
  } else {
    for (const line of describeStack(stack)) context.out.line(line)
    context.out.line()
    context.out.line(`Open ${page.url} in a browser, or: curl ${stack.worker.url}`)
    context.out.line('Ctrl-C ends everything.')
  }
  const stopped = new Promise<void>((resolve) =>
    context.signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  await Promise.race([stopped, stack.worker.closed])
  if (!context.signal.aborted) throw new HawserError('proxy_internal_error', 'the Worker ended by itself')
}

export default defineCommand({
  name: 'demo',
  summary: 'Show a Worker that reads a private PostgreSQL through a tunnel, all on this machine',
  description:
    'Starts a private network (a PostgreSQL, an HTTP API and a connector) in a process of its own, an edge, and the Worker of ' +
    'examples/demo on workerd, and stays up until Ctrl-C. With --check, tries each promise on free ports and exits 0 or 1.',
  flags: {
    check: { kind: 'boolean', help: 'try everything once on free ports, print a line per check, exit 0 or 1' },
    json: { kind: 'boolean', help: 'print JSON' },
    port: {
      kind: 'number',
      min: 0,
      max: 65_535,
      default: '8788',
      help: 'port of the page, on 127.0.0.1; a taken one is replaced by a free one',
    },
  },
  examples: ['hawser demo', 'hawser demo --check --json'],
  async run(context) {
    if (process.env[SIDE_VARIABLE] === 'private' && process.send !== undefined) {
      const { runPrivateSide } = await import('../demo/private-side.ts')
      return runPrivateSide(quiet(context.logger), context.signal)
    }
    return context.flags.check ? check(context, context.flags) : show(context, context.flags)
  },
})
