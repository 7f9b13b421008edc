import { HawserError } from '@hawser/core'
import { defineCommand } from '../../command.ts'
import { apiFlags, openTunnelsClient } from '../../control/api-access.ts'

/** `tcp://db.internal:5432` or `http://api.internal:8080/health` as the API has it. */
function readProbe(text: string, intervalMs: number, timeoutMs: number): object {
  const url = URL.parse(text)
  const type = url?.protocol === 'tcp:' ? 'tcp' : 'http'
  const port = Number(url?.port === '' && type === 'http' ? 80 : url?.port)
  if (url === null || !/^(tcp|http):$/.test(url.protocol) || url.hostname === '' || !(port > 0)) {
    const wanted = 'tcp://host:port or http://host:port/path'
    throw new HawserError('options_invalid', `--probe: expected ${wanted}, got ${JSON.stringify(text)}`)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const path = type === 'http' ? { path: `${url.pathname}${url.search}` } : {}
  return { type, host, port, ...path, intervalMs, timeoutMs }
}

/** `GET` and `PUT …/cfd_tunnel/{id}/configurations`; ours is what `config.hawser` holds. */
export default defineCommand({
  name: 'tunnel configure',
  summary: "Show what a tunnel's connectors are told to do, or replace it while they run",
  description:
    'Without any of the settings it shows those that hold. With some of them, these take the place of all that held before; ' +
    'connectors follow at once and no flow ends. What a connector was started with holds as well: nothing here can let it ' +
    'dial more. A replica whose probe of a target fails is passed over for flows to that target.',
  positionals: [{ name: 'tunnel', help: 'its name or id' }],
  flags: {
    ...apiFlags,
    allow: { kind: 'cidr', repeatable: true, help: 'range that may be dialled; with any, nothing else may' },
    deny: { kind: 'cidr', repeatable: true, help: 'range that may not be dialled, even if allowed' },
    probe: {
      kind: 'string',
      repeatable: true,
      placeholder: 'url',
      help: 'target to ask from time to time: tcp://host:port, http://host:port/path',
    },
    interval: { kind: 'duration', default: '10s', help: 'between two answers of a target to a probe' },
    timeout: { kind: 'duration', default: '2s', help: 'how long a target may take to answer a probe' },
    connectorLog: {
      kind: 'choice',
      choices: ['debug', 'info', 'warn', 'error'],
      help: 'how much the connectors log; what they were started with unless given',
    },
    clear: { kind: 'boolean', help: 'take everything back' },
  },
  examples: [
    'hawser tunnel configure lab --data-dir ./edge',
    'hawser tunnel configure lab --deny 10.9.0.0/16 --probe tcp://db.internal:5432 --data-dir ./edge',
    'hawser tunnel configure lab --clear --data-dir ./edge',
  ],
  async run({ args, flags, out, signal }) {
    const { allow, deny, connectorLog: logLevel, interval, timeout } = flags
    const probes = flags.probe.map((text) => readProbe(text, interval, timeout))
    const given = allow.length + deny.length + probes.length > 0 || logLevel !== undefined
    if (given && flags.clear) throw new HawserError('options_invalid', '--clear goes with no other setting')
    const client = await openTunnelsClient(flags, signal)
    const { id } = await client.find(args.tunnel)
    const shown =
      given || flags.clear
        ? await client.configure(id, { allow, deny, probes, ...(logLevel === undefined ? {} : { logLevel }) })
        : await client.configuration(id)
    if (flags.json) return out.json(shown)
    out.line(`version ${shown.version}`)
    return out.line(JSON.stringify(shown.config.hawser, undefined, 2))
  },
})
