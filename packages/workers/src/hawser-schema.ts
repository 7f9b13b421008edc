/** The schema of `hawser.jsonc`: what is checked, what editors complete, and what `docs/hawser-jsonc.md` is made of. */
import { z } from 'zod'

const MAX_CONNECTIONS = 10_000
const MAX_PORT = 65_535

/** Messages end the sentence `"<key>" must be …, got …`. */
const OBJECT = 'an object, { … }'
const CONNECTIONS = `a whole number from 0, for no limit, to ${MAX_CONNECTIONS}`
const PORT = `a port from 1 to ${MAX_PORT}`

function text(description: string, examples?: readonly string[]): z.ZodString {
  const schema = z.string('a string').min(1, 'a string that is not empty')
  return schema.meta(examples === undefined ? { description } : { description, examples: [...examples] })
}

function port(description: string): z.ZodInt {
  return z.int(PORT).min(1, PORT).max(MAX_PORT, PORT).meta({ description })
}

function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, `one of ${values.map((known) => `"${known}"`).join(', ')}`)
}

function hosts(description: string, examples: readonly [Readonly<Record<string, string>>]) {
  return z
    .record(z.string(), text('`host` or `host:port`; without a port, the port of the call.'), OBJECT)
    .meta({ description, examples: [...examples] })
    .optional()
}

const network = z.strictObject(
  {
    hosts: hosts(
      'Where calls to some hosts of the network go instead. A key is `host`, `host:port`, `*.domain` or `*.domain:port`; ' +
        'the wildcard stands for one label, and IPv6 addresses with a port stand in brackets. The entry that says most ' +
        'counts: host and port, then host, then wildcard and port, then wildcard. Certificates and the `Host` header are ' +
        'judged by the name that the Worker used, never by the stand-in.',
      [{ '10.0.1.50': '127.0.0.1', 'db.internal:5432': '127.0.0.1:55432', '*.svc.internal': '127.0.0.1' }],
    ),
    token: text(
      'The real network in place of this machine, for what no entry of `hosts` matches: a token that `hawser client token` ' +
        'prints, of a client that may use the network. It is a secret: keep a file that holds one out of version control, ' +
        'or set `HAWSER_TOKEN_<binding>` in the environment in place of this key.',
    ).optional(),
    tunnel: text(
      'With a token: id or name of the tunnel whose network is meant, where the edge knows it by another one than the id ' +
        'in the wrangler file.',
      ['office'],
    ).optional(),
    virtualNetwork: text(
      'For a binding with a `network_id`: name or id of the virtual network whose routes are meant, of sites that use the ' +
        'same addresses. Without it the default one, or the one that the `network_id` names. `hawser dev` has no use for it.',
      ['site-b'],
    ).optional(),
  },
  OBJECT,
)

const egress = z.strictObject(
  {
    binding: text(
      'The `vpc_networks` binding whose network the global `connect()`, `node:net` and `node:tls` use: what the name alone ' +
        'in the place of the object says, too.',
      ['MY_VPC'],
    ).optional(),
    hosts: hosts(
      'Where calls to some public hosts go instead, as under `networks`. The rules of production judge the name that the ' +
        'Worker used: an address that it may not reach stays refused.',
      [{ 'db.example.com:5432': '127.0.0.1:55432', 'api.example.com': '127.0.0.1:8080' }],
    ),
  },
  OBJECT,
)

const service = z.strictObject(
  {
    host: text('A name or an address, without a port.', ['127.0.0.1']),
    httpPort: port('Where `fetch()` of `http:` URLs goes.').optional(),
    httpsPort: port('Where `fetch()` of `https:` URLs goes.').optional(),
    tcpPort: port('Where `connect()` goes.').optional(),
  },
  OBJECT,
)

const tlsEntry = z.strictObject(
  {
    match: text('The target by the name that the Worker uses: `host`, `host:port`, `*.domain` or `*.domain:port`.', [
      'db.internal:5432',
      '*.svc.internal',
    ]),
    ca: text('PEM file of the CAs to trust in place of the public ones, relative to this file.', ['ca.pem']).optional(),
    cert: text('PEM file of the client certificate, with its chain, for targets that ask for one.').optional(),
    key: text('PEM file of the private key of `cert`, without a passphrase.').optional(),
    verify: oneOf(['verify_full', 'verify_ca', 'disabled'])
      .meta({
        description:
          'What is checked of the certificate of the target: chain and name (`verify_full`, the default), the chain alone ' +
          '(`verify_ca`), or nothing (`disabled`).',
      })
      .optional(),
    serverName: text(
      'Sent as SNI and looked for in the certificate, in place of the name that the Worker used.',
    ).optional(),
    minVersion: oneOf(['TLSv1.2', 'TLSv1.3'])
      .meta({ description: 'The lowest version of TLS to accept; `TLSv1.2` unless given.' })
      .optional(),
  },
  OBJECT,
)

const limits = z.strictObject(
  {
    connections: z
      .int(CONNECTIONS)
      .min(0, CONNECTIONS)
      .max(MAX_CONNECTIONS, CONNECTIONS)
      .meta({
        description:
          'Connections that one invocation may have open at once; more wait. 6 unless given, 0 for no limit.',
      })
      .optional(),
  },
  OBJECT,
)

/** The whole file as it is written. Keys that are not here are refused. */
export const hawserSchema = z
  .strictObject({
    $schema: z.string('a string').meta({ description: 'Where this schema is, for editors. Not read.' }).optional(),
    egress: z
      .union([text('The same as `binding` of the object.'), egress], 'the name of a binding, or an object, { … }')
      .meta({
        description:
          'Where calls go that use no binding. The name of a `vpc_networks` binding: its network is what the global ' +
          '`connect()`, `node:net` and `node:tls` use; without it they reach public addresses only. Or an object, where ' +
          'public hosts have stand-ins.',
        examples: ['MY_VPC', { hosts: { 'db.example.com:5432': '127.0.0.1:55432' } }],
      })
      .optional(),
    networks: z
      .record(z.string(), network, OBJECT)
      .meta({
        description:
          'By the name of a `vpc_networks` binding: what stands in for that network. Without an entry the network is this ' +
          'machine.',
      })
      .optional(),
    services: z
      .record(z.string(), service, OBJECT)
      .meta({
        description:
          'By the name of a `vpc_services` binding: the host and ports that it reaches, in place of what is registered.',
      })
      .optional(),
    tls: z
      .array(tlsEntry, 'a list, [ … ]')
      .meta({ description: 'How TLS is spoken to some targets. The first entry that matches counts.' })
      .optional(),
    limits: limits.meta({ description: 'Limits of the platform to set otherwise.' }).optional(),
  })
  .meta({
    title: 'hawser.jsonc',
    description: 'What Hawser is told beside a wrangler configuration. Every key is optional.',
  })

/** The file as it is written, with the types checked and nothing else. */
export type WrittenConfig = z.infer<typeof hawserSchema>

/** The keys that may stand in the object at `path`, which are those a message about another key lists. */
export function allowedKeys([first]: readonly PropertyKey[]): readonly string[] {
  const shapes = {
    egress: egress.shape,
    networks: network.shape,
    services: service.shape,
    tls: tlsEntry.shape,
    limits: limits.shape,
  }
  const shape = Object.entries(shapes).find(([key]) => key === first)?.[1] ?? hawserSchema.shape
  return Object.keys(shape).filter((key) => key !== '$schema')
}

/** The schema as editors read it (JSON Schema draft-07, which all of them know). */
export function hawserJsonSchema(): object {
  return z.toJSONSchema(hawserSchema, { target: 'draft-7', io: 'input' })
}
