import fc from 'fast-check'
import { HawserError } from '@hawser/core'
import { classifyAddress, parseHost } from '@hawser/policy'
import type { AddressClass, ParsedHost } from '@hawser/policy'
import { damaged, hosts, literals } from '../arbitraries.ts'
import { isBlocked, unmapped, urlHost } from '../oracles.ts'
import { agree, Disagreement, fuzzTarget } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

/** Undefined where it was refused as it should be. */
function accepted(parse: (text: string) => ParsedHost, text: string): ParsedHost | undefined {
  try {
    return parse(text)
  } catch (error) {
    if (HawserError.is(error, 'address_invalid')) return undefined
    throw error
  }
}

/** Punycode that decodes to nothing is a name to resolvers, and none to URL parsers. */
const PUNYCODE = /(?:^|\.)xn--/i

/** `parseHost`: no host is read as something else than the URL standard reads it as. */
export function hostTarget(parse: (text: string) => ParsedHost = parseHost): FuzzTarget {
  return fuzzTarget({
    name: 'host',
    inputs: fc.oneof(damaged(hosts), fc.string({ unit: 'binary', maxLength: 60 })),
    check(text) {
      const ours = accepted(parse, text)
      if (ours === undefined) return
      const oracle = urlHost(text)
      if (oracle === undefined) {
        if (ours.kind === 'name' && PUNYCODE.test(text)) return
        throw new Disagreement(
          `${JSON.stringify(text)} is accepted as ${JSON.stringify(ours)}, and is no host of a URL`,
        )
      }
      const theirs = 'ip' in oracle ? { ip: unmapped(oracle.ip) } : { name: oracle.name.replace(/\.$/, '') }
      agree('the reading', text, ours.kind === 'ip' ? { ip: ours.ip } : { name: ours.name }, theirs)
      if (ours.kind !== 'ip' || !('ip' in oracle)) return
      // What was written in any spelling, and is judged as what it was read as.
      if (classifyAddress(ours.ip).public) agree('whether it may be reached', text, true, !isBlocked(oracle.ip))
    },
  })
}

/** `classifyAddress`: nothing is public that is not an address, or is on IANA's lists. */
export function classifyTarget(classify: (ip: string) => AddressClass = classifyAddress): FuzzTarget {
  return fuzzTarget({
    name: 'classify',
    inputs: fc.oneof(literals, damaged(literals), damaged(hosts)),
    check(text) {
      const ours = classify(text)
      const oracle = urlHost(text)
      if (!ours.public) return
      if (oracle === undefined || !('ip' in oracle))
        throw new Disagreement(`${JSON.stringify(text)} is public, and no address`)
      agree('the canonical form', text, ours.canonical, unmapped(oracle.ip))
      agree('whether it may be reached', text, true, !isBlocked(oracle.ip))
    },
  })
}
