import { formatHostPort, HawserError } from '@hawser/core'
import type { ErrorCode, HostPort } from '@hawser/core'
import { compileAddressRules, createTargetDialer, NameResolver } from '@hawser/connector'
import type { DiagLimits } from './check-addresses.ts'
import type { Finding } from './finding.ts'

/** What the connector would be allowed to dial. */
export interface TargetRules {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

const TODO: Partial<Record<ErrorCode, string>> = {
  connection_refused: 'Start the service, or correct the port.',
  connection_timeout: 'A firewall may be in between, or the address is not that of the service.',
  dns_error: 'Correct the name, or the resolver of this machine: a connector resolves the names of targets itself.',
  dns_timeout: 'The resolver of this machine does not answer: check /etc/resolv.conf.',
  destination_ip_prohibited: 'Change --allow and --deny, of this command and of the connector.',
  destination_ip_unroutable: 'This machine has no way to that address. Check its routes.',
}

/** Whether this machine reaches a target as a connector here would: its resolver, its rules, its race of addresses. */
export async function checkTarget(
  target: HostPort,
  rules: TargetRules,
  { signal, timeoutMs }: DiagLimits,
): Promise<Finding> {
  const common = { step: 'target', subject: formatHostPort(target) } as const
  const dial = createTargetDialer({ rules: compileAddressRules(rules), resolver: new NameResolver() })
  const startedAt = performance.now()
  try {
    const { stream, remoteAddress } = await dial({ ...target, flowId: 'diag', timeoutMs }, signal)
    stream.destroy()
    const ms = performance.now() - startedAt
    return { ...common, state: 'ok', said: `${remoteAddress} answers in ${ms.toFixed(1)} ms` }
  } catch (error) {
    signal.throwIfAborted()
    const { code, message } = HawserError.from(error, 'destination_unavailable')
    return { ...common, state: 'failed', said: message, todo: TODO[code], code }
  }
}
