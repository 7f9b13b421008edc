import { defineCommand } from '../../command.ts'
import { readToken, tokenFlags } from './token-flags.ts'

/** Exit codes: 0 all is well, 1 something is wrong, 2 the command line is. */
export default defineCommand({
  name: 'connector diag',
  summary: 'Find out why a connector does not connect, and say what to do',
  description:
    'Takes the steps of a connector one by one: the token, the names and ports of its edges, TLS (the certificate that ' +
    'arrives, and whether something in between opens it), the clock, and the registration, which is a real one of weight 0 ' +
    'that leaves at once and carries nothing. With --target also whether this machine reaches the services. Exit code 0: ' +
    'all is well; 1: something is wrong, said above; 2: the command line is.',
  flags: {
    ...tokenFlags,
    edge: {
      kind: 'hostPort',
      repeatable: true,
      defaultPort: 7844,
      env: 'HAWSER_EDGE',
      help: 'edge to try, instead of those the token names',
    },
    target: { kind: 'hostPort', repeatable: true, help: 'service to try to reach from here' },
    allow: { kind: 'cidr', repeatable: true, env: 'HAWSER_ALLOW', help: 'as of connector run, for --target' },
    deny: { kind: 'cidr', repeatable: true, env: 'HAWSER_DENY', help: 'as of connector run, for --target' },
    metrics: {
      kind: 'hostPort',
      defaultPort: 20241,
      implied: '127.0.0.1:20241',
      env: 'HAWSER_METRICS',
      help: '--metrics of a connector that is running, to ask whether it is connected',
    },
    timeout: { kind: 'duration', default: '10s', help: 'how long each step may take' },
    json: { kind: 'boolean', help: 'print the findings as JSON' },
  },
  examples: [
    'hawser connector diag --token-file lab.token',
    'hawser connector diag --token-file lab.token --target db.internal:5432 --metrics 127.0.0.1:20241',
    'hawser connector diag --token-file lab.token --edge edge.example.com:7844 --json',
  ],
  async run({ flags, logger, out, signal }) {
    const { parseCidr } = await import('@hawser/connector')
    for (const text of flags.allow) parseCidr(text, '--allow')
    for (const text of flags.deny) parseCidr(text, '--deny')
    const { runDiag } = await import('../../diag/run-diag.ts')
    await runDiag({
      token: await readToken(flags.token, flags.tokenFile),
      tokenFile: flags.token === undefined ? flags.tokenFile : undefined,
      edges: flags.edge,
      targets: flags.target,
      rules: { allow: flags.allow, deny: flags.deny },
      metrics: flags.metrics,
      timeoutMs: flags.timeout,
      json: flags.json,
      logger,
      out,
      signal,
    })
  },
})
