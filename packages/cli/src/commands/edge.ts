import { join } from 'node:path'
import { formatHostPort, HawserError } from '@hawser/core'
import type { HostPort } from '@hawser/core'
import { defineCommand } from '../command.ts'

/** No default of the flag itself, so that `--http` without a Worker can be told from silence. */
const WORKER_ADDRESS: HostPort = { host: '127.0.0.1', port: 8787 }

/** Loopback by default: an edge that strangers can reach is a decision, not an accident. 7844 is the vendor's port (V-140). */
export default defineCommand({
  name: 'edge',
  summary: 'Run an edge: tunnels, the control API and, if asked, a Worker',
  description:
    'Everything the edge keeps is in the data directory, made on the first start: its CA and keys, the directory of tunnels, ' +
    'and an API token for the commands of this machine. It listens on loopback unless told otherwise; the control API speaks ' +
    'clear text, so on any other address it belongs behind something that speaks TLS.',
  flags: {
    dataDir: {
      kind: 'path',
      required: true,
      env: 'HAWSER_DATA_DIR',
      placeholder: 'dir',
      help: 'where the edge keeps its state',
    },
    tunnel: { kind: 'hostPort', default: '127.0.0.1:7844', defaultPort: 7844, help: 'address for connectors' },
    api: { kind: 'hostPort', default: '127.0.0.1:7845', defaultPort: 7845, help: 'address for the control API' },
    http: {
      kind: 'hostPort',
      defaultPort: 8787,
      help: 'address for the Worker; with --worker 127.0.0.1:8787 unless given',
    },
    advertise: {
      kind: 'hostPort',
      repeatable: true,
      defaultPort: 7844,
      help: 'address of this edge to put into tokens, instead of the one it listens on',
    },
    clients: {
      kind: 'hostPort',
      defaultPort: 7846,
      help: 'address for Node programs that use vpcNetwork() and vpcService(); none unless given',
    },
    worker: { kind: 'path', placeholder: 'config', help: 'wrangler configuration of a Worker to run' },
    env: { kind: 'string', placeholder: 'name', help: 'environment of that configuration' },
    prefer: {
      kind: 'choice',
      choices: ['weight', 'flows', 'rtt'],
      repeatable: true,
      help: 'what decides among the healthy connections of a tunnel, first things first; weight, flows, rtt unless given',
    },
    gracePeriod: { kind: 'duration', default: '10s', help: 'how long running calls may finish after a stop' },
    metrics: {
      kind: 'hostPort',
      defaultPort: 7847,
      implied: '127.0.0.1:7847',
      env: 'HAWSER_METRICS',
      help: 'address for /ready, /metrics and /healthcheck; none unless given',
    },
  },
  examples: [
    'hawser edge --data-dir ./edge',
    'hawser edge --data-dir /var/lib/hawser --tunnel 0.0.0.0:7844 --advertise edge.example.com:7844',
    'hawser edge --data-dir ./edge --worker ./wrangler.jsonc',
    'hawser edge --data-dir ./edge --clients 127.0.0.1:7846',
    'hawser edge --data-dir ./edge --metrics 127.0.0.1:7847 --log-format json',
  ],
  async run({ flags, logger, jsonLogs, out, signal, abort }) {
    if (flags.worker === undefined && flags.env !== undefined) {
      throw new HawserError('options_invalid', '--env is an environment of the Worker, so it needs --worker')
    }
    // The edge, its API and what they bring along are loaded for this command alone.
    const { runEdge } = await import('../edge/run-edge.ts')
    await runEdge({
      dataDir: flags.dataDir,
      tunnel: flags.tunnel,
      api: flags.api,
      advertise: flags.advertise.map((address) => formatHostPort(address)),
      clients: flags.clients,
      prefer: flags.prefer,
      http: flags.http,
      worker:
        flags.worker === undefined
          ? undefined
          : {
              configPath: flags.worker,
              environment: flags.env,
              listen: flags.http ?? WORKER_ADDRESS,
              persistTo: join(flags.dataDir, 'worker'),
            },
      graceMs: flags.gracePeriod,
      metrics: flags.metrics,
      logger,
      jsonLogs,
      out,
      signal,
      abort,
    })
  },
})
