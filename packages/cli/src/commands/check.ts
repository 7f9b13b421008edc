import { defineCommand } from '../command.ts'

/** Exit codes: 0 all is well, 1 a stand-in does not answer, 2 a file is wrong. */
export default defineCommand({
  name: 'check',
  summary: 'Check wrangler.jsonc and hawser.jsonc, and try everything that stands in for private hosts',
  description:
    'Reads both files as the other commands do, then resolves and connects to each stand-in of hawser.jsonc, with TLS where ' +
    'an entry of "tls" or port 443 expects it. Exit code 0: all is well; 1: a stand-in does not answer; 2: a file is wrong.',
  flags: {
    config: {
      kind: 'path',
      short: 'c',
      default: '.',
      placeholder: 'file',
      help: 'wrangler configuration, or the folder it is in',
    },
    env: { kind: 'string', short: 'e', placeholder: 'name', help: 'environment of that configuration' },
    json: { kind: 'boolean', help: 'print the results as JSON' },
  },
  examples: ['hawser check', 'hawser check -c ./worker/wrangler.toml --env staging --json'],
  async run({ flags, logger, out, signal }) {
    const { runCheck } = await import('../config/run-check.ts')
    await runCheck({
      configPath: flags.config,
      environment: flags.env,
      json: flags.json,
      logger,
      out,
      signal,
    })
  },
})
