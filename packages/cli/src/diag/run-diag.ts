import { formatHostPort, HawserError, parseHostPort } from '@hawser/core'
import type { HostPort, Logger } from '@hawser/core'
import { DEFAULT_EDGE_PORT } from '@hawser/connector'
import type { TunnelToken } from '@hawser/tunnel'
import type { Output } from '../command.ts'
import { checkDns, checkTcp } from './check-addresses.ts'
import type { DiagLimits } from './check-addresses.ts'
import { checkReady } from './check-ready.ts'
import { checkRegister } from './check-register.ts'
import { checkTarget } from './check-target.ts'
import type { TargetRules } from './check-target.ts'
import { checkClock, checkTls } from './check-tls.ts'
import { checkToken } from './check-token.ts'
import { printFinding } from './finding.ts'
import type { DiagStep, Finding } from './finding.ts'

/** The flags of `hawser connector diag`, read. */
export interface DiagOptions {
  /** The token's text. */
  readonly token: string
  readonly tokenFile: string | undefined
  /** Instead of those that the token names, where there is any. */
  readonly edges: readonly HostPort[]
  readonly targets: readonly HostPort[]
  readonly rules: TargetRules
  /** Where a connector that is running shows its metrics. */
  readonly metrics: HostPort | undefined
  /** For each step of each edge and target. */
  readonly timeoutMs: number
  readonly json: boolean
  readonly logger: Logger
  readonly out: Output
  readonly signal: AbortSignal
}

/** What follows from TCP on; a step that fails leaves those after it untried. */
const AFTER: Readonly<Partial<Record<DiagStep, readonly DiagStep[]>>> = {
  dns: ['tcp', 'tls', 'clock', 'register'],
  tcp: ['tls', 'clock', 'register'],
  tls: ['clock', 'register'],
  clock: ['register'],
}

function skippedAfter({ step, subject }: Finding): readonly Finding[] {
  return (AFTER[step] ?? []).map((later) => ({
    step: later,
    subject,
    state: 'skipped',
    said: `not tried, since ${step} failed`,
  }))
}

/** All that lies between here and a place at one edge, in order, up to the first step that fails. */
async function checkEdge(edge: HostPort, token: TunnelToken, options: DiagOptions): Promise<readonly Finding[]> {
  const limits: DiagLimits = options
  const dns = await checkDns(edge, limits)
  if (dns.found === undefined) return [dns.finding, ...skippedAfter(dns.finding)]
  const tcp = await checkTcp(edge, dns.found, limits)
  const before = [dns.finding, tcp.finding]
  if (tcp.found === undefined) return [...before, ...skippedAfter(tcp.finding)]
  const tls = await checkTls(edge, tcp.found, token, limits)
  before.push(tls.finding)
  if (tls.found === undefined) return [...before, ...skippedAfter(tls.finding)]
  const clock = checkClock(edge, tls.found, token, new Date())
  before.push(clock)
  if (clock.state === 'failed') return [...before, ...skippedAfter(clock)]
  return [...before, await checkRegister(edge, token, limits, options.logger)]
}

/** Of the token where the command line names none; undefined where the token has none that can be read either. */
function edgesToTry({ edges }: DiagOptions, token: TunnelToken): readonly HostPort[] | undefined {
  if (edges.length > 0) return edges
  try {
    return token.edges.length === 0
      ? undefined
      : token.edges.map((text) => parseHostPort(text, 'token', DEFAULT_EDGE_PORT))
  } catch {
    return undefined
  }
}

async function checkEdges(token: TunnelToken, options: DiagOptions): Promise<readonly Finding[]> {
  const edges = edgesToTry(options, token)
  if (edges === undefined) {
    const said = 'the token names no edge to try'
    return [{ step: 'dns', state: 'failed', said, todo: 'Name one with --edge host:port.', code: 'edge_unreachable' }]
  }
  const unique = new Map(edges.map((edge) => [formatHostPort(edge), edge]))
  const found = await Promise.all(Array.from(unique.values(), (edge) => checkEdge(edge, token, options)))
  return found.flat()
}

/**
 * Takes the steps of a connector one by one and says what is wrong, and what to do. Edges are tried all at once, so that one
 * that hangs costs its time once.
 *
 * @throws {HawserError} with the code of the first failure, where anything failed; what it was is printed by then
 */
export async function runDiag(options: DiagOptions): Promise<void> {
  const { token, findings } = await checkToken(options.token, options.tokenFile)
  const { metrics, targets, rules } = options
  const checking: Promise<Finding | readonly Finding[]>[] = targets.map((target) => checkTarget(target, rules, options))
  if (token !== undefined) checking.unshift(checkEdges(token, options))
  if (metrics !== undefined) checking.push(checkReady(metrics, options))
  const found = await Promise.all(checking).catch((error: unknown) => {
    if (!options.signal.aborted) throw error
    throw new HawserError('connection_aborted', 'stopped before every step was taken')
  })
  const all = [...findings, ...found.flat()]
  const failed = all.filter(({ state }) => state === 'failed')
  if (options.json) options.out.json({ ok: failed.length === 0, findings: all })
  else for (const finding of all) printFinding(options.out, finding)
  const [first] = failed
  if (first === undefined) return
  const tried = all.filter(({ state }) => state !== 'skipped').length
  throw new HawserError(first.code ?? 'proxy_internal_error', `${failed.length} of ${tried} steps failed`)
}
