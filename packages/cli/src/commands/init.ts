import { defineCommand } from '../command.ts'

/** Questions go to stderr, as log lines do: stdout is for results. */
export default defineCommand({
  name: 'init',
  summary: 'Write hawser.jsonc beside a wrangler configuration, from the bindings in it',
  description:
    'Asks what stands in for each vpc_networks and vpc_services binding on this machine. With --yes nothing is asked, and ' +
    'everything is this machine.',
  flags: {
    config: {
      kind: 'path',
      short: 'c',
      default: '.',
      placeholder: 'file',
      help: 'wrangler configuration, or the folder it is in',
    },
    env: { kind: 'string', short: 'e', placeholder: 'name', help: 'environment whose bindings to take' },
    yes: { kind: 'boolean', help: 'ask nothing, take the defaults' },
    force: { kind: 'boolean', help: 'overwrite a hawser.jsonc that is there' },
  },
  examples: ['hawser init', 'hawser init -c ./worker --env staging --yes'],
  async run({ flags, logger, out, signal }) {
    const { runInit } = await import('../config/run-init.ts')
    await runInit({
      configPath: flags.config,
      environment: flags.env,
      yes: flags.yes,
      force: flags.force,
      logger,
      out,
      terminal: { input: process.stdin, output: process.stderr },
      signal,
    })
  },
})
