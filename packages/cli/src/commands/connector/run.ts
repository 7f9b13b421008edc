import { readFile } from 'node:fs/promises'
import { formatHostPort, HawserError, systemCode } from '@hawser/core'
import type { Secret } from '@hawser/core'
import { defineCommand } from '../../command.ts'

/** The flag wins over the file: it is the more particular of the two. */
async function readToken(token: Secret | undefined, file: string | undefined): Promise<string> {
  if (token !== undefined) return token.reveal()
  if (file === undefined) {
    throw new HawserError('options_invalid', '--token-file or --token is required (or set HAWSER_TUNNEL_TOKEN)')
  }
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new HawserError('options_invalid', `--token-file: ${file}: ${systemCode(error) ?? String(error)}`)
  }
}

/** Flags follow the vendor's connector where it has the same thing: V-146 for the token, V-166 for the grace period. */
export default defineCommand({
  name: 'connector run',
  summary: 'Connect this machine to an edge, which then reaches what this machine reaches',
  description:
    'Makes outgoing connections only. A token on the command line can be seen by every user of this machine, so prefer ' +
    '--token-file or the environment variable. A token that is rejected at the first try ends the command; one that was ' +
    'accepted before is retried. The first SIGINT or SIGTERM lets running flows finish, the second ends them.',
  flags: {
    tokenFile: {
      kind: 'path',
      env: 'HAWSER_TUNNEL_TOKEN_FILE',
      placeholder: 'file',
      help: 'file that holds the tunnel token',
    },
    token: {
      kind: 'string',
      secret: true,
      env: 'HAWSER_TUNNEL_TOKEN',
      placeholder: 'token',
      help: 'the tunnel token itself',
    },
    edge: {
      kind: 'hostPort',
      repeatable: true,
      defaultPort: 7844,
      env: 'HAWSER_EDGE',
      help: 'edge to connect to, instead of those the token names',
    },
    allow: {
      kind: 'cidr',
      repeatable: true,
      env: 'HAWSER_ALLOW',
      help: 'range that may be dialled; with any, nothing else may',
    },
    deny: {
      kind: 'cidr',
      repeatable: true,
      env: 'HAWSER_DENY',
      help: 'range that may not be dialled, even if allowed',
    },
    gracePeriod: { kind: 'duration', default: '30s', help: 'how long running flows may finish after a stop' },
  },
  examples: [
    'hawser connector run --token-file lab.token',
    'hawser connector run --token-file lab.token --allow 10.0.0.0/8 --deny 10.9.0.0/16',
    'HAWSER_TUNNEL_TOKEN=… hawser connector run --edge edge.example.com:7844',
  ],
  async run({ flags, logger, signal, abort }) {
    const { parseCidr, startConnector } = await import('@hawser/connector')
    for (const text of flags.allow) parseCidr(text, '--allow') // again inside, but there they have no flag's name
    for (const text of flags.deny) parseCidr(text, '--deny')
    const token = await readToken(flags.token, flags.tokenFile)
    const edges = flags.edge.map((edge) => formatHostPort(edge))
    await using connector = await startConnector({ token, edges, allow: flags.allow, deny: flags.deny, logger })
    // `closed` also resolves by itself, when no edge ever accepts the token.
    const onStop = (): void => void connector.close(flags.gracePeriod)
    const onAbort = (): void => connector.abort(new HawserError('connection_aborted', 'stopped by a second signal'))
    signal.addEventListener('abort', onStop, { once: true })
    abort.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onStop()
    const error = await connector.closed
    if (error !== undefined) throw error
  },
})
