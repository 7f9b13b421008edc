import fc from 'fast-check'
import { isIPv6 } from 'node:net'
import { parseAddress } from '../../../packages/workers/src/runtime/address.ts'
import type { Destination } from '../../../packages/workers/src/runtime/address.ts'
import { damaged, hosts, ports } from '../arbitraries.ts'
import { consistsOf, splitPort } from '../oracles.ts'
import { agree, fuzzTarget } from '../target.ts'
import type { FuzzTarget } from '../target.ts'

const isPermitted = consistsOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:[]-')
const hasColonOrBracket = (text: string): boolean => text.split('').some((character) => ':[]'.includes(character))

/** What `connect('host:port')` may be given, by the plain rules of S-020 and not by a URL parser. */
function readAddress(text: string): readonly [host: string, port: number] | undefined {
  const split = splitPort(text)
  if (split === undefined || text.length > 255 || !isPermitted(text)) return undefined
  const { host, port } = split
  const isBracketed = host.startsWith('[') && host.endsWith(']')
  const isHost = isBracketed ? isIPv6(host.slice(1, -1)) : !hasColonOrBracket(host)
  return isHost ? [host, port] : undefined
}

function accepted(parse: (address: unknown) => Destination, address: unknown): Destination | undefined {
  try {
    return parse(address)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The runtime module's `parseAddress`, on texts. */
export function workerAddressTarget(parse: (address: unknown) => Destination = parseAddress): FuzzTarget {
  return fuzzTarget({
    name: 'worker-address',
    inputs: fc.oneof(
      damaged(fc.tuple(hosts, ports).map(([host, port]) => `${host}:${port}`)),
      fc.string({ unit: 'binary', maxLength: 60 }),
    ),
    check(text) {
      const ours = accepted(parse, text)
      const oracle = readAddress(text)
      agree('the reading', text, ours === undefined ? 'refused' : [ours.host, ours.port], oracle ?? 'refused')
      if (ours !== undefined) agree('the text', text, ours.text, text)
    },
  })
}

/** The same for objects with `hostname` and `port`: whatever their values, what is accepted is permitted and in range. */
export function workerObjectTarget(parse: (address: unknown) => Destination = parseAddress): FuzzTarget {
  const port = fc.oneof(ports, fc.integer(), fc.double(), fc.constantFrom(null, undefined, true, '', [], [80], {}, 80n))
  const hostname = fc.oneof(damaged(hosts), fc.constantFrom(null, undefined, 1, ['a'], {}))
  return fuzzTarget({
    name: 'worker-object',
    inputs: fc.record({ hostname, port }),
    check(address) {
      const ours = accepted(parse, address)
      if (ours === undefined) return
      const shown = `${ours.host}:${ours.port}`
      agree('the text', shown, ours.text, shown)
      agree(
        'whether the port is one',
        shown,
        Number.isInteger(ours.port) && ours.port >= 0 && ours.port <= 65_535,
        true,
      )
      agree('whether all of it is permitted', shown, isPermitted(ours.text), true)
      agree('the port', shown, ours.port, Math.trunc(Number(address.port)))
      agree('the host', shown, ours.host, `${address.hostname as string}`)
    },
  })
}
