import { Secret } from '@hawser/core'
import { NoMatch, parseHostMatch } from './host-match.ts'
import type { HostMatch } from './host-match.ts'
import type { WrittenConfig } from './hawser-schema.ts'
import { formatPath } from './jsonc-file.ts'
import type { JsoncFile, JsonPath } from './jsonc-file.ts'
import type { HostStandIn, NetworkStandIns, ServiceStandIn } from './stand-ins.ts'

type Written<Key extends keyof WrittenConfig> = NonNullable<WrittenConfig[Key]>

/** What becomes of `"networks"` and `"services"`, by binding, and of the hosts under `"egress"`. */
export interface StandInConfig {
  /** For public hosts. */
  readonly egress: Pick<NetworkStandIns, 'hosts'>
  readonly networks: Readonly<Record<string, NetworkStandIns>>
  readonly services: Readonly<Record<string, ServiceStandIn>>
}

/** Tokens are base64 of a JSON object (V-145), so that this is how each of them begins. */
const TOKEN = /^eyJ[A-Za-z0-9+/]+={0,2}$/

/** What makes a text no token of a client, as far as it shows without the code that knows them; it is never repeated. */
function tokenProblem(text: string): string | undefined {
  const what = 'must be the token of a client, as `hawser client token` prints it'
  try {
    const fields: unknown = TOKEN.test(text) ? JSON.parse(Buffer.from(text, 'base64').toString('utf8')) : undefined
    if (typeof fields !== 'object' || fields === null) return what
    if ('client' in fields) return undefined
    return 's' in fields ? `${what}; this is the token of a tunnel, which only its connector may have` : what
  } catch {
    return what
  }
}

/** Without a prototype: a binding may be called `constructor`. */
function byBinding<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries))
}

/** Reads the two sections, noting everything that is wrong with them. */
class StandInReader {
  readonly #file: JsoncFile
  readonly #problems: string[]

  constructor(file: JsoncFile, problems: string[]) {
    this.#file = file
    this.#problems = problems
  }

  network(binding: string, { hosts = {}, token, ...way }: Written<'networks'>[string]): NetworkStandIns {
    const path = ['networks', binding]
    const entries = this.hosts([...path, 'hosts'], hosts)
    if (token === undefined) return { hosts: entries, ...way }
    const problem = tokenProblem(token)
    if (problem !== undefined) this.#say([...path, 'token'], problem)
    return { hosts: entries, token: new Secret(token), ...way }
  }

  service(binding: string, written: Written<'services'>[string]): ServiceStandIn {
    const path = ['services', binding, 'host']
    const target = this.#target(path, written.host)
    if (target?.port !== undefined) {
      const ports = '"httpPort", "httpsPort" or "tcpPort"'
      this.#say(path, `must be a host without a port, which goes into ${ports}, got ${JSON.stringify(written.host)}`)
    }
    return { ...written, host: target?.host ?? written.host }
  }

  hosts(path: JsonPath, hosts: Readonly<Record<string, string>>): HostStandIn[] {
    const seen = new Map<string, string>()
    const entries: HostStandIn[] = []
    for (const [written, value] of Object.entries(hosts)) {
      const match = this.#match(path, written)
      const target = this.#target([...path, written], value)
      if (match === undefined || target === undefined) continue
      const text = `${match.host} ${match.port}`
      const first = seen.get(text)
      if (first === undefined) seen.set(text, written)
      else this.#say(path, `has "${written}", which means the same as "${first}"`, written)
      entries.push({ match, ...target, written })
    }
    return entries
  }

  /** A key that says which hosts are meant. */
  #match(path: JsonPath, written: string): HostMatch | undefined {
    try {
      return parseHostMatch(written)
    } catch (error) {
      if (!(error instanceof NoMatch)) throw error
      this.#say(path, `must have keys that are ${error.message}, got ${JSON.stringify(written)}`, written)
      return undefined
    }
  }

  /** A value that says which one host is meant. */
  #target(path: JsonPath, written: string): HostMatch | undefined {
    try {
      if (written.startsWith('*')) throw new NoMatch('one host')
      return parseHostMatch(written)
    } catch (error) {
      if (!(error instanceof NoMatch)) throw error
      this.#say(path, `must be ${error.message}, got ${JSON.stringify(written)}`)
      return undefined
    }
  }

  /** @param key of what stands at `path`, where it is the key that is wrong */
  #say(path: JsonPath, what: string, key?: string): void {
    const place = key === undefined ? this.#file.locate(path) : this.#file.locateKey(path, key)
    this.#problems.push(`${place}: "${formatPath(path)}" ${what}`)
  }
}

/** Reads `"networks"`, `"services"` and `"egress"`; `problems` gets a line for each thing that is wrong, with its place in `file`. */
export function readStandIns(
  file: JsoncFile,
  { networks = {}, services = {}, egress }: Pick<WrittenConfig, 'networks' | 'services' | 'egress'>,
  problems: string[],
): StandInConfig {
  const reader = new StandInReader(file, problems)
  const publicHosts = typeof egress === 'object' ? (egress.hosts ?? {}) : {}
  return {
    egress: { hosts: reader.hosts(['egress', 'hosts'], publicHosts) },
    networks: byBinding(Object.entries(networks).map(([name, written]) => [name, reader.network(name, written)])),
    services: byBinding(Object.entries(services).map(([name, written]) => [name, reader.service(name, written)])),
  }
}
