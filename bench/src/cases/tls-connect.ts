import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case, Side } from '../case.ts'
import type { Span } from '../load/connections.ts'
import { openTlsPaths } from './tls-paths.ts'
import type { TlsPaths } from './tls-paths.ts'

/** Short, and taken in turn several times: what else the machine does then falls on all paths alike. */
const SPAN: Span = { rampMs: 50, countMs: 250 }
const TURNS = 4

/** A figure made of what the same exchange takes over several paths, in microseconds a connection. */
interface CostSide extends Side {
  measure(paths: TlsPaths): Promise<number>
}

function side(name: string, measure: (paths: TlsPaths) => Promise<number>): CostSide {
  return { name, absence: () => Promise.resolve(undefined), measure }
}

/** One path of a figure, and whether it is added or taken away. */
type Term =
  | readonly [sign: 1 | -1, over: 'edge' | 'direct', secure: boolean]
  | readonly [sign: 1 | -1, over: 'through', secure: true]

function measure(paths: TlsPaths, [, over, secure]: Term): Promise<number> {
  return over === 'through' ? paths.through(true, SPAN) : paths[over](secure, SPAN)
}

/** The mean of a sum over paths that are measured in turn. */
function sumOf(terms: readonly Term[]): (paths: TlsPaths) => Promise<number> {
  return async (paths) => {
    let total = 0
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const term of terms) total += term[0] * (await measure(paths, term))
    }
    return total / TURNS
  }
}

/** What TLS costs a client that speaks it itself: the handshake, two ciphers and a farewell. */
const HANDSHAKE: readonly Term[] = [
  [1, 'direct', true],
  [-1, 'direct', false],
]
const ADDED_BY_EDGE: readonly Term[] = [
  [1, 'edge', true],
  [-1, 'edge', false],
]
/** The handshake as it is over this way, with its round trip through the tunnel: that of a client at its near end. */
const WITHOUT_HANDSHAKE: readonly Term[] = [
  [1, 'edge', true],
  [-1, 'through', true],
  [1, 'edge', false],
]
const IN_CLEAR: readonly Term[] = [[1, 'edge', false]]

function costCase(name: string, sessions: boolean, summary: string, ours: CostSide, peer: CostSide): Case {
  const how = sessions ? 'sessions resumed' : 'a whole handshake each'
  return defineCase<CostSide>({
    name: `tls-${name}-${sessions ? 'resumed' : 'full'}`,
    summary: `${summary}, ${how}`,
    unit: 'µs/connection',
    better: 'less',
    warmUps: RATE_WARM_UPS,
    ours,
    peers: [peer],
    async open(scope) {
      const paths = await openTlsPaths(scope, sessions)
      return (of) => Promise.resolve(() => of.measure(paths))
    },
  })
}

const added = (sessions: boolean): Case =>
  costCase(
    'added',
    sessions,
    'what TLS by the edge adds to connect, exchange and close, beside what TLS adds to a client of node:tls',
    side('hawser', sumOf(ADDED_BY_EDGE)),
    side('node:tls', sumOf(HANDSHAKE)),
  )

const beyond = (sessions: boolean): Case =>
  costCase(
    'beyond',
    sessions,
    'connect, exchange and close with TLS by the edge, less what TLS costs a client over the same way, beside the same in clear',
    side('hawser', sumOf(WITHOUT_HANDSHAKE)),
    side('in clear', sumOf(IN_CLEAR)),
  )

export const tlsConnect: readonly Case[] = [added(false), added(true), beyond(false), beyond(true)]
