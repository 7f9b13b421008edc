import { EgressRefusal } from '@hawser/policy'
import type { FlowVerdict } from '@hawser/core'
import type { FlowContext } from './context.ts'

/** What a tunnel reaches is its connector's to decide, by `--allow` and `--deny`; the edge adds no rule of its own yet. */
const DEFAULTS = {
  tunnel: { allowed: true, rule: 'default-allow/tunnel' },
  network: { allowed: true, rule: 'default-allow/network' },
  service: { allowed: true, rule: 'default-allow/service' },
} as const satisfies Record<string, FlowVerdict>

/** Name and port were judged with the target; what they would resolve to is nobody's business here. */
const STAND_IN: FlowVerdict = { allowed: true, rule: 'stand-in' }

/**
 * Step 4, policy: may it? Leaves only addresses that may be dialled in the target.
 *
 * The message of a refusal names the rule, not the addresses: what a resolver of ours answers is nothing a Worker should
 * be able to read.
 *
 * @throws {EgressRefusal} `destination_ip_prohibited`, `destination_port_prohibited`, `proxy_loop_detected`
 */
export function policy(context: FlowContext): void {
  const { flow, services } = context
  if (flow.network.kind !== 'public') {
    flow.verdict = DEFAULTS[flow.network.kind]
    return
  }
  const { host, port, tls, addresses } = context.target
  if (context.standIn !== undefined && addresses === undefined) {
    flow.verdict = STAND_IN
    return
  }
  const { verdict, allowed } = services.egress.judge(addresses ?? [], port)
  flow.verdict = verdict
  if (!verdict.allowed) {
    throw new EgressRefusal(verdict, `${flow.requested} may not be reached from here (${verdict.rule})`)
  }
  flow.target = { host, port, tls, addresses: allowed }
}
