import { defineCase } from '../case.ts'
import type { Case, Side } from '../case.ts'
import type { RouteKind } from '../load/many-routes.ts'
import { startRole } from '../role.ts'
import type { RoutesOperations } from '../roles/hawser-routes.ts'

/** Part of Hawser, a naive table beside it, or a promise: what we say it takes at most. */
function side(name: string): Side {
  return { name, absence: () => Promise.resolve(undefined) }
}

const hawser = side('hawser')
/** A map for each length of prefix, asked one after the other. */
const maps = side('maps by prefix')

function lookupCase(kind: RouteKind): Case {
  const limit = side('1 µs')
  return defineCase<Side>({
    name: `routes-lookup-${kind}`,
    summary: `from the text of ${kind === 'hostname' ? 'a name' : 'an address'} to its tunnel, among a million ${kind} routes`,
    unit: 'ns',
    better: 'less',
    ours: hawser,
    peers: kind === 'hostname' ? [limit] : [limit, maps], // for names there is nothing more naive than what we do
    async open(scope) {
      const role = await startRole<RoutesOperations>(scope, 'hawser-routes')
      await role.call('compile', kind)
      return (of) =>
        Promise.resolve(() => {
          if (of === limit) return Promise.resolve(1_000)
          return of === maps ? role.call('lookUpNaively') : role.call('lookUp')
        })
    },
  })
}

/** Of a directory of a million routes on disk, half of them IPv4 and half IPv6. */
function directoryCase(name: string, summary: string, unit: string, limit: number, operation: 'load' | 'memory'): Case {
  const peer = side(`${limit} ${unit}`)
  return defineCase<Side>({
    name,
    summary,
    unit,
    better: 'less',
    ours: hawser,
    peers: [peer],
    async open(scope) {
      const role = await startRole<RoutesOperations>(scope, 'hawser-routes')
      await role.call('fill', scope.folder)
      return (of) => Promise.resolve(() => (of === peer ? Promise.resolve(limit) : role.call(operation)))
    },
  })
}

export const routes: readonly Case[] = [
  lookupCase('ipv4'),
  lookupCase('ipv6'),
  lookupCase('hostname'),
  directoryCase(
    'routes-load',
    'reading a million routes from a directory on disk, until they are ready',
    's',
    5,
    'load',
  ),
  directoryCase('routes-memory', 'what a million routes hold in memory once they are loaded', 'MiB', 100, 'memory'),
]
