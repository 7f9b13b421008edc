/** What is to be written of one `vpc_networks` binding. */
export interface NetworkAnswers {
  readonly binding: string
  /** Pattern and stand-in, in their order. */
  readonly hosts: readonly (readonly [match: string, standIn: string])[]
}

/** What is to be written of one `vpc_services` binding. */
export interface ServiceAnswers {
  readonly binding: string
  /** Where undefined, the rest is too, and an example is written in place of an entry. */
  readonly host?: string | undefined
  readonly httpPort?: number | undefined
  readonly httpsPort?: number | undefined
  readonly tcpPort?: number | undefined
}

/** Everything that a new `hawser.jsonc` is made of. */
export interface FileAnswers {
  /** Path or URL of the JSON Schema; left out where there is none to point at. */
  readonly schema?: string | undefined
  /** Name of the binding that the global `connect()` goes through. */
  readonly egress?: string | undefined
  /** What stands in for public hosts. */
  readonly publicHosts?: NetworkAnswers['hosts'] | undefined
  readonly networks: readonly NetworkAnswers[]
  readonly services: readonly ServiceAnswers[]
}

function property(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)},`
}

function object(key: string, lines: readonly string[]): string[] {
  return [`${JSON.stringify(key)}: {`, ...lines.map((line) => `  ${line}`), '},']
}

function networkLines({ binding, hosts }: NetworkAnswers): string[] {
  const example = '// "db.internal:5432": "127.0.0.1:55432",'
  const lines = hosts.length === 0 ? [example] : hosts.map(([match, standIn]) => property(match, standIn))
  return object(binding, object('hosts', lines))
}

const EXAMPLE = { host: '127.0.0.1', httpPort: 8080, httpsPort: 8443, tcpPort: 55432 }

function serviceLines({ binding, host, httpPort, httpsPort, tcpPort }: ServiceAnswers): string[] {
  if (host === undefined) return [`// ${property(binding, EXAMPLE)}`]
  return object(binding, [
    property('host', host),
    ...(httpPort === undefined ? [] : [property('httpPort', httpPort)]),
    ...(httpsPort === undefined ? [] : [property('httpsPort', httpsPort)]),
    ...(tcpPort === undefined ? [] : [property('tcpPort', tcpPort)]),
  ])
}

const PUBLIC_EXAMPLE = '"hosts": { "db.example.com:5432": "127.0.0.1:55432" }'

function egressLines({ egress, publicHosts = [], networks }: FileAnswers): string[] {
  const [first] = networks
  if (publicHosts.length > 0) {
    const binding = egress === undefined ? [] : [property('binding', egress)]
    const hosts = publicHosts.map(([match, standIn]) => property(match, standIn))
    return [
      '// What stands in for public hosts, for connect(), node:net and fetch() without a binding.',
      ...object('egress', [...binding, ...object('hosts', hosts)]),
    ]
  }
  if (egress !== undefined) {
    return ['// The global connect() and node:net go through this binding.', property('egress', egress)]
  }
  if (first === undefined) {
    return [
      '// What stands in for public hosts, for connect(), node:net and fetch() without a binding.',
      `// "egress": { ${PUBLIC_EXAMPLE} },`,
    ]
  }
  return [
    '// Sends the global connect() and node:net through a binding; they reach public addresses only, without.',
    `// ${property('egress', first.binding)}`,
  ]
}

/** The text of a new `hawser.jsonc`, with remarks for whoever goes on from there. */
export function composeFile(answers: FileAnswers): string {
  const { schema, networks, services } = answers
  const lines: string[] = []
  if (schema !== undefined) lines.push(property('$schema', schema))
  lines.push(...egressLines(answers))
  if (networks.length > 0) {
    lines.push('// What stands in for private hosts; every other host of the network is this machine.')
    lines.push(...object('networks', networks.flatMap(networkLines)))
  }
  if (services.length > 0) {
    lines.push(
      '// Where the VPC Services are; one without an entry is this machine, on the port that the Worker names.',
    )
    lines.push(...object('services', services.flatMap(serviceLines)))
  }
  lines.push('// "tls": [{ "match": "db.internal:5432", "ca": "ca.pem" }],')
  return `{\n${lines.map((line) => `  ${line}`).join('\n')}\n}\n`
}
