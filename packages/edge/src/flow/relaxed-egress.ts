import type { EgressPolicy } from '@hawser/policy'
import type { FlowVerdict } from '@hawser/core'

/** Rules of public egress that can be turned off, for a developer's machine. */
export const RELAXABLE_RULES = ['blocked-addresses', 'blocked-ports', 'loops'] as const

/**
 * `blocked-addresses`: loopback, private and special addresses, and names such as `localhost`. `blocked-ports`: port 25.
 * `loops`: addresses that this edge itself listens on.
 */
export type RelaxableRule = (typeof RELAXABLE_RULES)[number]

const HTTPS_PORT = 443

/** Which of them a verdict belongs to; undefined for those that always hold. */
export function relaxableRule(rule: string): RelaxableRule | undefined {
  if (rule.startsWith('blocked-destinations/') || rule.startsWith('blocked-names/')) return 'blocked-addresses'
  if (rule === 'blocked-port/25') return 'blocked-ports'
  return rule === 'own-listener' ? 'loops' : undefined
}

/** `egress` without the rules in `relaxed`: what they alone refuse is allowed, under a rule that says so. */
export function relaxEgress(egress: EgressPolicy, relaxed: ReadonlySet<RelaxableRule>): EgressPolicy {
  if (relaxed.size === 0) return egress
  const isRelaxed = ({ allowed, rule }: FlowVerdict): boolean => {
    const relaxable = allowed ? undefined : relaxableRule(rule)
    return relaxable !== undefined && relaxed.has(relaxable)
  }
  const lift = (verdict: FlowVerdict): FlowVerdict =>
    isRelaxed(verdict) ? { allowed: true, rule: `relaxed/${verdict.rule}` } : verdict
  return {
    judgePort: (port) => lift(egress.judgePort(port)),
    judge(addresses, port) {
      // Addresses are judged for a port that says nothing, where the one that was asked for is relaxed.
      const portVerdict = egress.judgePort(port)
      const asked = isRelaxed(portVerdict) ? HTTPS_PORT : port
      const decision = egress.judge(addresses, asked)
      if (decision.verdict.allowed) return { verdict: lift(portVerdict), allowed: decision.allowed }
      const lifted = addresses.filter((address) => isRelaxed(egress.judge([address], asked).verdict))
      return lifted.length === 0 ? decision : { verdict: lift(decision.verdict), allowed: lifted }
    },
  }
}
