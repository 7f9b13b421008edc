import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case, Side } from '../case.ts'
import { startRole } from '../role.ts'
import type { RoleHandle } from '../role.ts'
import type { SocketsLoadOperations } from '../roles/sockets-load.ts'
import type { Service, TargetOperations } from '../roles/target.ts'
import { SPAN } from './tunnel-case.ts'

/** A program that opens TCP connections by itself: a role of `roles/`, on one kind of sockets. */
export interface SocketsSide extends Side {
  readonly role: string
}

export const hawserSockets: SocketsSide = {
  name: 'hawser',
  role: 'hawser-sockets',
  absence: () => Promise.resolve(undefined),
}

export const nodeNet: SocketsSide = {
  name: 'node:net',
  role: 'node-net',
  absence: () => Promise.resolve(undefined),
}

interface SocketsCase {
  readonly name: string
  readonly summary: string
  readonly unit: string
  readonly service: Service
  readonly operation: keyof SocketsLoadOperations
}

/** A case in which `@hawser/sockets` and `node:net` do the same on Node, each in a process of its own. */
export function socketsCase({ service, operation, ...label }: SocketsCase): Case {
  return defineCase<SocketsSide>({
    ...label,
    better: 'more',
    warmUps: RATE_WARM_UPS,
    ours: hawserSockets,
    peers: [nodeNet],
    async open(scope) {
      const target = await startRole<TargetOperations>(scope, 'target')
      const port = await target.call('listen', service)
      return async ({ role }) => {
        const program: RoleHandle<SocketsLoadOperations> = await startRole(scope, role)
        return () => program.call(operation, { ...SPAN, port })
      }
    },
  })
}
