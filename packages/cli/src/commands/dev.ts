import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { defineCommand } from '../command.ts'
import type { DevEvent } from '../dev/events.ts'
import { readRelaxed, RELAXED_RULES } from '../dev/relaxed.ts'

/** As wrangler looks for it: a command may be typed anywhere in a project. */
function findProject(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (FILE_NAMES.some((name) => existsSync(join(folder, name)))) return folder
    if (dirname(folder) === folder) return from
  }
}

const FILE_NAMES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml']

const RULES = Object.entries(RELAXED_RULES).map(([name, what]) => `${name} (${what})`)

/** Flags are wrangler's where it has the same thing. */
export default defineCommand({
  name: 'dev',
  summary: 'Serve a Worker on this machine, offline, with the rules of production',
  description:
    'Reads the wrangler configuration, bundles the Worker and serves it on workerd, again after each change. Private networks ' +
    'and services are this machine, unless hawser.jsonc beside the wrangler file says where else they are. Crons run by ' +
    'GET /cdn-cgi/handler/scheduled?cron=… . No account, no login, no Internet.',
  flags: {
    config: {
      kind: 'path',
      short: 'c',
      placeholder: 'file',
      repeatable: true,
      help:
        'wrangler configuration, or the folder it is in; unless given, of this folder or the nearest above. Given again, ' +
        'further Workers, which the first reaches by service bindings',
    },
    env: { kind: 'string', short: 'e', placeholder: 'name', help: 'environment of that configuration' },
    port: {
      kind: 'number',
      min: 0,
      max: 65_535,
      help: 'port to listen on; "dev.port" of the configuration unless given, or 8787 or a free one',
    },
    ip: { kind: 'string', placeholder: 'address', help: 'address to listen on; 127.0.0.1 unless given' },
    inspect: {
      kind: 'number',
      min: 0,
      max: 65_535,
      implied: '9229',
      placeholder: 'port',
      help: 'let DevTools attach on 127.0.0.1',
    },
    testScheduled: { kind: 'boolean', help: 'run crons at /__scheduled?cron=… too' },
    persistTo: {
      kind: 'path',
      placeholder: 'dir',
      help: 'where KV, D1, R2 and the like are kept; .wrangler/state/v3 beside the configuration unless given',
    },
    relaxed: {
      kind: 'string',
      repeatable: true,
      placeholder: 'rules',
      help: `rules of production to turn off, with commas between: ${RULES.join(', ')}`,
    },
    json: { kind: 'boolean', help: 'print a JSON object a line for each event' },
  },
  examples: [
    'hawser dev',
    'hawser dev -c apps/shop/wrangler.jsonc --env staging --port 3000',
    'hawser dev -c apps/shop -c apps/stock',
    'hawser dev --json',
  ],
  async run({ flags, logger, out, signal }) {
    const relaxed = readRelaxed(flags.relaxed)
    enableCompileCache() // what follows is most of the start, and the same each time
    const { startDevSession } = await import('../dev/dev-session.ts')
    const { describeEvent } = await import('../dev/describe-event.ts')
    const colour = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
    const emit = flags.json
      ? (event: DevEvent): void => out.line(JSON.stringify(event))
      : (event: DevEvent): void => out.line(describeEvent(event, colour))
    const [configPath = findProject(process.cwd()), ...otherConfigPaths] = flags.config
    const options = {
      configPath,
      otherConfigPaths,
      environment: flags.env,
      host: flags.ip,
      port: flags.port,
      inspectorPort: flags.inspect,
      testScheduled: flags.testScheduled,
      persistTo: flags.persistTo,
      relaxed,
      emit,
      logger,
    }
    const stopped = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => stopped.resolve(), { once: true })
    try {
      await using session = await startDevSession(options, signal)
      await Promise.race([stopped.promise, session.failed])
    } catch (error) {
      if (!signal.aborted) throw error // what a start says that was stopped is nothing
    }
  },
})
