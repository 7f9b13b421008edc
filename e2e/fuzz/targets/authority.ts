import fc from 'fast-check'
import { formatAuthority, parseAuthority } from '@hawser/core'
import type { Authority } from '@hawser/core'
import { damaged, hosts, ports } from '../arbitraries.ts'
import { consistsOf, splitPort } from '../oracles.ts'
import { agree, Disagreement, fuzzTarget } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 32, maxLength: 32 })
const id = fc.string({ unit: fc.constantFrom(...'abcxyz0189'.split('')), minLength: 1, maxLength: 33 })
const operation = fc.constantFrom('c', 's', 'u', 't', 'x', 'C', '')
export const authorities: fc.Arbitrary<string> = fc
  .tuple(hosts, operation, id, hex, ports)
  .map(([host, op, call, capability, port]) => `${host}.${op}-${call}-${capability}.hawser:${port}`)

const isId = consistsOf('abcdefghijklmnopqrstuvwxyz0123456789')
const isHex = consistsOf('0123456789abcdef')

/** The same grammar taken apart from behind, by dots and dashes and without a pattern. */
export function readAuthority(text: string): Authority | undefined {
  const split = splitPort(text)
  if (split === undefined || text.length > 255) return undefined
  // At most five digits: a port is written in one way, but for leading zeros.
  if (text.length - split.host.length - 1 > 5 || !split.host.endsWith('.hawser')) return undefined
  const front = split.host.slice(0, -'.hawser'.length)
  const dot = front.lastIndexOf('.')
  const [op = '', call = '', capability = '', more] = front.slice(dot + 1).split('-')
  const isKnown = op === 'c' || op === 's' || op === 'u' || op === 't'
  if (dot < 0 || more !== undefined || !isKnown || !isId(call) || call.length > 32) return undefined
  if (!isHex(capability) || capability.length !== 32) return undefined
  return { host: front.slice(0, dot), operation: op, id: call, capability, port: split.port }
}

/** `parseAuthority`: what it accepts it reads as the grammar says, all of it, and writes back to the same text. */
export function authorityTarget(parse: (text: string) => Authority | undefined = parseAuthority): FuzzTarget {
  return fuzzTarget({
    name: 'authority',
    inputs: fc.oneof(damaged(authorities), fc.string({ unit: 'binary', maxLength: 300 })),
    check(text) {
      const sorted = (of: Authority | undefined): unknown =>
        of === undefined ? 'refused' : [of.host, of.operation, of.id, of.capability, of.port]
      const ours = parse(text)
      agree('the reading', text, sorted(ours), sorted(readAuthority(text)))
      if (ours === undefined) return
      const again = parse(formatAuthority(ours) ?? '')
      if (again === undefined) throw new Disagreement(`${JSON.stringify(text)} cannot be written back`)
      agree('what comes of writing it back', text, sorted(again), sorted(ours))
    },
  })
}
