import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case } from '../case.ts'
import type { Span } from '../load/connections.ts'
import { chisel } from '../peers/chisel.ts'
import { frp } from '../peers/frp.ts'
import { hawser } from '../peers/hawser.ts'
import { loopback } from '../peers/loopback.ts'
import { ssh } from '../peers/ssh.ts'
import { stunnel } from '../peers/stunnel.ts'
import type { LoadOperations } from '../roles/load.ts'
import type { Service, TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import type { RoleHandle } from '../role.ts'
import { startPeer } from './start-peer.ts'

/** How long one measurement runs, in every case with a rate. */
export const SPAN: Span = { rampMs: 300, countMs: 1_500 }

interface TunnelCase {
  readonly name: string
  readonly summary: string
  readonly unit: string
  readonly service: Service
  /** Runs the load once against a side's port; gives the rate. */
  measure(load: RoleHandle<LoadOperations>, port: number): Promise<number>
}

/** A case in which the same load goes to the same target through Hawser and through every peer that carries TCP. */
export function tunnelCase(spec: TunnelCase): Case {
  return defineCase({
    name: spec.name,
    summary: spec.summary,
    unit: spec.unit,
    better: 'more',
    warmUps: RATE_WARM_UPS,
    ours: hawser,
    peers: [ssh, frp, chisel, stunnel, loopback],
    async open(scope) {
      const target = await startRole<TargetOperations>(scope, 'target')
      const load = await startRole<LoadOperations>(scope, 'load')
      const targetPort = await target.call('listen', spec.service)
      return async (peer) => {
        const way = await startPeer(scope, peer, targetPort)
        return () => spec.measure(load, way.port)
      }
    },
  })
}
