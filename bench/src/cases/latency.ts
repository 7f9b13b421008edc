import { defineCase, RATE_WARM_UPS } from '../case.ts'
import type { Case } from '../case.ts'
import type { Span } from '../load/connections.ts'
import { MESSAGE_BYTES } from '../load/message.ts'
import { chisel } from '../peers/chisel.ts'
import { frp } from '../peers/frp.ts'
import { hawser } from '../peers/hawser.ts'
import type { Peer } from '../peers/peer.ts'
import { ssh } from '../peers/ssh.ts'
import { stunnel } from '../peers/stunnel.ts'
import type { LoadOperations } from '../roles/load.ts'
import type { TargetOperations } from '../roles/target.ts'
import { startRole } from '../role.ts'
import { startPeer } from './start-peer.ts'

/** Short, and in turn with the same without anything in between, so that both meet the same machine. */
const SPAN: Span = { rampMs: 50, countMs: 400 }
const TURNS = 3

export const latency: Case = defineCase<Peer>({
  name: 'latency',
  summary: `what the way adds to the median time of an exchange of ${MESSAGE_BYTES} bytes on an open connection`,
  unit: 'µs',
  better: 'less',
  warmUps: RATE_WARM_UPS,
  ours: hawser,
  peers: [ssh, frp, chisel, stunnel],
  async open(scope) {
    const target = await startRole<TargetOperations>(scope, 'target')
    const load = await startRole<LoadOperations>(scope, 'load')
    const targetPort = await target.call('listen', 'echo')
    return async (peer) => {
      const way = await startPeer(scope, peer, targetPort)
      return async () => {
        let added = 0
        for (let turn = 0; turn < TURNS; turn += 1) {
          added -= await load.call('latency', { ...SPAN, port: targetPort })
          added += await load.call('latency', { ...SPAN, port: way.port })
        }
        return added / TURNS
      }
    }
  },
})
