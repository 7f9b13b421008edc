/** The callers, in a network of their own: 180 flows by the listener for clients and 20 by a Worker, unless told otherwise. */
import { vpcNetwork } from '../../../packages/sockets/src/index.ts'
import { Pattern } from '../flow/pattern.ts'
import type { PlanLimits } from '../flow/plan.ts'
import type { Probe } from '../recovery.ts'
import { clientCaller, workerCaller } from './callers.ts'
import { Load } from './load.ts'
import type { LoadPart } from './load.ts'
import { Prober } from './prober.ts'
import type { LoadTotals } from './tally.ts'

/** What it is started with, as JSON in the environment variable `LOAD`: the token in it is nobody else's business. */
export interface LoadOrder {
  readonly seed: number
  readonly token: string
  readonly edge: string
  /** `host:port` of the private service, and of its echo. */
  readonly target: string
  readonly echo: string
  readonly worker: string | undefined
  readonly clientFlows: number
  readonly workerFlows: number
  /** Of the clients' flows; a Worker's are smaller anyway. */
  readonly limits: PlanLimits
}

/** From the harness: begin, begin to probe, whether anything is broken, end. */
export type LoadCommand =
  | { readonly type: 'run' }
  | { readonly type: 'probe'; readonly on: boolean }
  | { readonly type: 'broken'; readonly broken: boolean }
  | { readonly type: 'stop' }

/** To the harness; `ended` when the last flow of a run has its outcome. */
export type LoadMessage =
  | { readonly type: 'totals'; readonly totals: LoadTotals }
  | { readonly type: 'probe'; readonly probe: Probe }
  | { readonly type: 'ended'; readonly totals: LoadTotals }

const REPORT_MS = 500

const order = JSON.parse(process.env['LOAD'] ?? '') as LoadOrder
const { seed, token, edge, target, echo, worker, clientFlows, workerFlows, limits } = order
const network = vpcNetwork({ token, edge, network: 'chaos' })
const parts: LoadPart[] = [{ caller: clientCaller(network, target, new Pattern(seed), limits), flows: clientFlows }]
if (worker !== undefined) parts.push({ caller: workerCaller(worker), flows: workerFlows })

const tell = (message: LoadMessage): void => void process.send?.(message)
let load: Load | undefined
let prober: Prober | undefined
setInterval(() => {
  if (load !== undefined) tell({ type: 'totals', totals: load.totals() })
}, REPORT_MS)

async function run(): Promise<void> {
  load = new Load(seed, parts)
  await load.run()
  tell({ type: 'ended', totals: load.totals() })
  load = undefined
}

process.on('message', (message) => {
  const command = message as LoadCommand
  if (command.type === 'run') void run()
  else if (command.type === 'broken' && load !== undefined) load.broken = command.broken
  else if (command.type === 'stop') load?.stop()
  else if (command.type === 'probe') {
    prober?.stop()
    prober = command.on ? new Prober(network, echo, (probe) => tell({ type: 'probe', probe })) : undefined
  }
})
process.on('disconnect', () => process.exit())
