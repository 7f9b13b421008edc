import type { ErrorCode, FlowVerdict, HostPort } from '@hawser/core'
import { classifyAddress } from './classify.ts'
import { interfaceAddresses, isOwnListener } from './own-listeners.ts'

/** Addresses that passed, and the rule that decided. */
export interface EgressDecision {
  readonly verdict: FlowVerdict
  /** Canonical literals in the order given, without repeats: the only addresses that may be dialled, as they stand. */
  readonly allowed: readonly string[]
}

/** What public egress may reach. Knows addresses, never names: it judges what is then dialled, with no look-up between. */
export interface EgressPolicy {
  /** Decides before anything is resolved. */
  judgePort(port: number): FlowVerdict
  /** Decides on all the addresses of one target: those that pass are allowed, whatever the others are. */
  judge(addresses: readonly string[], port: number): EgressDecision
}

export interface PublicEgressOptions {
  /** Addresses the edge itself listens on, read at every decision; wildcards as `0.0.0.0` and `::`. */
  readonly ownListeners: () => readonly HostPort[]
  /** Addresses of this machine. @default those the operating system lists */
  readonly localAddresses?: (() => readonly string[]) | undefined
}

/** Names of the rules that stand alone; blocked addresses fall under `blocked-destinations/<reason>`. */
export const RULES = {
  public: 'public',
  ownListener: 'own-listener',
  noAddress: 'no-address',
  /** V-303. */
  smtp: 'blocked-port/25',
  /** Port 0 and what is no port at all (S-026). */
  noPort: 'blocked-port/0',
} as const

const SMTP_PORT = 25
const MAX_PORT = 65_535

/** The policy of `connect()` and `fetch()` that go to the Internet: public addresses only, not port 25, not ourselves. */
export function publicEgress(options: PublicEgressOptions): EgressPolicy {
  const localAddresses = options.localAddresses ?? interfaceAddresses
  const judgeOne = (ip: string, port: number): { rule: string; canonical: string } => {
    const address = classifyAddress(ip)
    // Before the address itself: most own listeners are on loopback, and the loop is the more telling answer (V-302).
    if (isOwnListener(address.canonical, port, options.ownListeners(), localAddresses)) {
      return { rule: RULES.ownListener, canonical: address.canonical }
    }
    const rule = address.public ? RULES.public : `blocked-destinations/${address.reason}`
    return { rule, canonical: address.canonical }
  }
  return {
    judgePort,
    judge(addresses, port) {
      const portVerdict = judgePort(port)
      if (!portVerdict.allowed) return { verdict: portVerdict, allowed: [] }
      const judged = addresses.map((ip) => judgeOne(ip, port))
      const allowed = judged.filter(({ rule }) => rule === RULES.public).map(({ canonical }) => canonical)
      if (allowed.length > 0) return { verdict: portVerdict, allowed: [...new Set(allowed)] }
      const loop = judged.find(({ rule }) => rule === RULES.ownListener)
      const rule = (loop ?? judged[0])?.rule ?? RULES.noAddress
      return { verdict: { allowed: false, rule }, allowed: [] }
    },
  }
}

/** The error code of a refusal under `rule`. */
export function refusalCode(rule: string): ErrorCode {
  switch (rule) {
    case RULES.ownListener:
      return 'proxy_loop_detected'
    case RULES.smtp:
      return 'destination_port_prohibited'
    case RULES.noPort:
      return 'address_invalid'
    case RULES.noAddress:
      return 'dns_error'
    default:
      return 'destination_ip_prohibited'
  }
}

function judgePort(port: number): FlowVerdict {
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) return { allowed: false, rule: RULES.noPort }
  if (port === SMTP_PORT) return { allowed: false, rule: RULES.smtp }
  return { allowed: true, rule: RULES.public }
}
