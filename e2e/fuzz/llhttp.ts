/** Node's own HTTP parser, called as `node:http` calls it. */
import { createRequire } from 'node:module'

type OnHeaders = (
  major: number,
  minor: number,
  fields: readonly string[] | undefined,
  method: number,
  url: string | undefined,
) => number

interface LlhttpParser {
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | Error
  [callback: number]: unknown
}

interface LlhttpClass {
  new (): LlhttpParser
  readonly REQUEST: number
  readonly kOnHeadersComplete: number
  readonly kOnHeaders: number
}

interface Common {
  readonly HTTPParser: LlhttpClass
  readonly methods: readonly string[]
}

// Not public, and the only way to ask the parser a question without a connection.
const { HTTPParser, methods } = createRequire(import.meta.url)('node:_http_common') as Common
/** The parser is to take the head alone. */
const UPGRADE = 2
/** Fields beyond this many come in several calls. */
const FIELDS_AT_ONCE = 32

export interface LlhttpHead {
  /** Method, target, and the bytes that the head took. */
  readonly request: readonly [method: string, target: string, bytes: number]
  readonly host: string | undefined
}

/** How llhttp reads the head of a request; undefined where it refuses it, or wants more. */
export function llhttpHead(bytes: Buffer): LlhttpHead | undefined {
  const parser = new HTTPParser()
  parser.initialize(HTTPParser.REQUEST, {})
  let seen: (Omit<LlhttpHead, 'request'> & { readonly start: readonly [method: string, target: string] }) | undefined
  const onHeaders: OnHeaders = (_major, _minor, fields = [], method, url = '') => {
    const names = fields.filter((_, index) => index % 2 === 0).slice(0, FIELDS_AT_ONCE)
    const index = names.findIndex((name) => name.toLowerCase() === 'host')
    seen = { start: [methods[method] ?? String(method), url], host: index < 0 ? undefined : fields[index * 2 + 1] }
    return UPGRADE
  }
  parser[HTTPParser.kOnHeadersComplete] = onHeaders
  const taken = parser.execute(bytes)
  if (seen === undefined || typeof taken !== 'number') return undefined
  return { request: [...seen.start, taken], host: seen.host }
}
