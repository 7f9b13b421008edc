import fc from 'fast-check'
import { HawserError } from '@hawser/core'
import { HeadReader, parseRequestHead } from '../../../packages/edge/src/http/head.ts'
import type { RequestHead } from '../../../packages/edge/src/http/head.ts'
import { damaged, hosts, ports } from '../arbitraries.ts'
import { llhttpHead } from '../llhttp.ts'
import { agree, Disagreement, fuzzTarget } from '../target.ts'
import type { FuzzTarget } from '../target.ts'
import { authorities } from './authority.ts'

/** A head, and the places at which the network cuts it. */
interface Input {
  readonly text: string
  readonly cuts: readonly number[]
}

const MAX_BYTES = 4_096

const field = fc.constantFrom(
  'Host: a.example:80',
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Proxy-Connection: keep-alive',
  'X-Empty:',
  'X: \t padded \t',
  'X: \xe4\xff',
  ' folded',
  'Bad Name: x',
  'NoColon',
  'Space : x',
  ': nothing',
)

const heads = fc
  .tuple(
    fc.constantFrom('CONNECT', 'CONNECT', 'CONNECT', 'connect', 'GET', 'CONNECT\t', ''),
    fc.oneof(
      authorities,
      fc.tuple(hosts, ports).map(([host, port]) => `${host}:${port}`),
      fc.constantFrom('/', 'http://a.example/', '*', '', 'a b'),
    ),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.11', 'http/1.1', 'HTTP/0.9', ''),
    fc.array(field, { maxLength: 4 }),
    fc.constantFrom('', 'early bytes', '\r\n', '\0\x01\x02'),
  )
  .map(([method, target, version, fields, rest]) =>
    [`${method} ${target} ${version}`, ...fields, '', rest].join('\r\n'),
  )

/** One head read from chunks: what it says, and how many bytes it took. */
export interface Read {
  readonly head: RequestHead
  readonly bytes: number
}

/** As a connection of the edge reads it. Undefined where more is needed or it was refused. */
export function readInChunks(bytes: Buffer, cuts: readonly number[]): Read | undefined {
  const reader = new HeadReader(MAX_BYTES)
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b)
  let start = 0
  try {
    for (const end of ends) {
      const found = reader.read(bytes.subarray(start, end), 0)
      if (found !== undefined) return { head: parseRequestHead(found.text), bytes: start + found.next }
      start = end
    }
    return undefined
  } catch (error) {
    if (HawserError.is(error, 'http_protocol_error')) return undefined
    throw error
  }
}

function summary(read: Read | undefined): unknown {
  if (read === undefined) return 'refused'
  const { method, target, fields } = read.head
  return [method, target, read.bytes, fields.host, fields.contentLength]
}

/** The head of a CONNECT: what the edge accepts, Node's llhttp accepts too, as the same request of the same length. */
export function connectHeadTarget(
  read: (bytes: Buffer, cuts: readonly number[]) => Read | undefined = readInChunks,
): FuzzTarget {
  return fuzzTarget<Input>({
    name: 'connect-head',
    inputs: fc.record({
      text: fc.oneof(damaged(heads), fc.string({ unit: 'binary', maxLength: 80 })),
      cuts: fc.array(fc.nat(600), { maxLength: 6 }),
    }),
    check({ text, cuts }) {
      const bytes = Buffer.from(text, 'latin1')
      const ours = read(bytes, cuts)
      agree('the reading in one piece', text, summary(read(bytes, [])), summary(ours))
      if (ours?.head.method !== 'CONNECT') return
      const oracle = llhttpHead(bytes)
      if (oracle === undefined) {
        // Characters that llhttp does not take in a target are the authority parser's to refuse.
        if (!/^[A-Za-z0-9._:[\]-]+$/.test(ours.head.target)) return
        throw new Disagreement(`${JSON.stringify(text)} is accepted, and refused by llhttp`)
      }
      agree('method, target and length', text, [ours.head.method, ours.head.target, ours.bytes], oracle.request)
      agree('Host', text, ours.head.fields.host, oracle.host)
    },
  })
}
