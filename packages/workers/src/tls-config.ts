import { dirname, resolve } from 'node:path'
import { Secret } from '@hawser/core'
import type { TlsRule, TlsVerification } from '@hawser/core'
import { NoMatch, parseHostMatch, parseName } from './host-match.ts'
import type { HostMatch } from './host-match.ts'
import { formatPath } from './jsonc-file.ts'
import type { JsoncFile, JsonPath } from './jsonc-file.ts'
import { BadPem, certificates, privateKey, readPem } from './pem-files.ts'

/** One entry of `"tls"` as it is written, types checked. */
export interface TlsEntry {
  readonly match: string
  /** Paths of PEM files, relative to `hawser.jsonc`. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly verify?: TlsVerification | undefined
  readonly serverName?: string | undefined
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}

export interface TlsConfig {
  readonly rules: readonly TlsRule[]
  /** Absolute paths of the PEM files. */
  readonly files: readonly string[]
}

/** Reads one entry, noting everything that is wrong with it. */
class EntryReader {
  readonly files: string[] = []
  readonly #file: JsoncFile
  readonly #path: JsonPath
  readonly #entry: TlsEntry
  readonly #problems: string[]

  constructor(file: JsoncFile, index: number, entry: TlsEntry, problems: string[]) {
    this.#file = file
    this.#path = ['tls', index]
    this.#entry = entry
    this.#problems = problems
  }

  match(): HostMatch | undefined {
    return this.#try('match', parseHostMatch)
  }

  serverName(): string | undefined {
    return this.#try('serverName', (text) => {
      if (text.startsWith('*')) throw new NoMatch('one host name')
      return parseName(text)
    })
  }

  /** Certificate and key belong together, in every sense. */
  async pems(): Promise<Pick<TlsRule, 'caPem' | 'certPem' | 'keyPem'>> {
    const [ca, cert, key] = await Promise.all([
      this.#pem('ca', certificates),
      this.#pem('cert', certificates),
      this.#pem('key', privateKey),
    ])
    this.#checkPair()
    if (cert !== undefined && key !== undefined && !cert.parsed[0].checkPrivateKey(key.parsed)) {
      this.#say('key', `${this.#entry.key} is not the key of the certificate in ${this.#entry.cert}`)
    }
    return {
      ...(ca === undefined ? {} : { caPem: ca.text }),
      ...(cert === undefined ? {} : { certPem: cert.text }),
      ...(key === undefined ? {} : { keyPem: new Secret(key.text) }),
    }
  }

  /** Rules of which the first counts would hide each other without a word. */
  repeats(first: number): void {
    this.#say('match', `repeats that of ${formatPath(['tls', first])}, which comes first and so would always count`)
  }

  #checkPair(): void {
    const { cert, key } = this.#entry
    if (cert !== undefined && key === undefined) this.#say('cert', 'needs "key" beside it')
    if (key !== undefined && cert === undefined) this.#say('key', 'needs "cert" beside it')
  }

  async #pem<T>(
    key: 'ca' | 'cert' | 'key',
    parse: (text: string) => T,
  ): Promise<{ text: string; parsed: T } | undefined> {
    const name = this.#entry[key]
    if (name === undefined) return undefined
    const path = resolve(dirname(this.#file.path), name)
    this.files.push(path)
    try {
      const text = await readPem(path)
      return { text, parsed: parse(text) }
    } catch (error) {
      if (!(error instanceof BadPem)) throw error
      this.#say(key, `${name}: ${error.message}`)
      return undefined
    }
  }

  #try<T>(key: 'match' | 'serverName', parse: (text: string) => T): T | undefined {
    const text = this.#entry[key]
    if (text === undefined) return undefined
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof NoMatch)) throw error
      this.#say(key, `must be ${error.message}, got ${JSON.stringify(text)}`)
      return undefined
    }
  }

  #say(key: keyof TlsEntry, what: string): void {
    const path = [...this.#path, key]
    this.#problems.push(`${this.#file.locate(path)}: "${formatPath(path)}" ${what}`)
  }
}

/**
 * Makes rules of the entries of `"tls"`, with the PEM files they name; `problems` gets a line for each thing that is wrong,
 * with its place in `file`.
 */
export async function readTlsConfig(
  file: JsoncFile,
  entries: readonly TlsEntry[],
  problems: string[],
): Promise<TlsConfig> {
  const seen = new Map<string, number>()
  const files: string[] = []
  const rules: TlsRule[] = []
  for (const [index, entry] of entries.entries()) {
    const reader = new EntryReader(file, index, entry, problems)
    const match = reader.match()
    if (match !== undefined) {
      const text = `${match.host}:${match.port}`
      const first = seen.get(text)
      if (first === undefined) seen.set(text, index)
      else reader.repeats(first)
    }
    const serverName = reader.serverName()
    const pems = await reader.pems()
    files.push(...reader.files)
    const { verify, minVersion } = entry
    if (match !== undefined) rules.push({ ...match, ...pems, verify, serverName, minVersion })
  }
  return { rules, files }
}
