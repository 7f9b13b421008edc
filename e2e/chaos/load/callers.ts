import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { VpcBinding } from '../../../packages/sockets/src/index.ts'
import { planFlow, planLine } from '../flow/plan.ts'
import type { FlowPlan, PlanLimits } from '../flow/plan.ts'
import type { Pattern } from '../flow/pattern.ts'
import { runFlow } from '../flow/run-flow.ts'
import type { FlowProgress, FlowResult } from '../flow/run-flow.ts'

/** Who opens flows. */
export interface Caller {
  readonly name: string
  plan(seed: number, id: number): FlowPlan
  /** Never rejects. */
  run(plan: FlowPlan, progress: FlowProgress, signal: AbortSignal): Promise<FlowResult>
}

/** A Node program, by the edge's listener for clients. */
export function clientCaller(network: VpcBinding, target: string, pattern: Pattern, limits: PlanLimits = {}): Caller {
  return {
    name: 'client',
    plan: (seed, id) => planFlow(seed, id, limits),
    run: (plan, progress, signal) =>
      runFlow(
        plan,
        pattern,
        (options) => network.connect(target, { ...options, signal: AbortSignal.any([signal, options.signal]) }),
        progress,
      ),
  }
}

/** Name of the callers that are Workers. */
export const WORKER = 'Worker'

/** Shorter than those of clients, since nothing is seen of them until they are over. */
const WORKER_LIMITS = { maxBytes: 131_072, maxPausedMs: 4_000 } as const

/** A Worker: a request to it is a flow. */
export function workerCaller(url: string): Caller {
  const agent = new Agent({ keepAlive: false })
  return {
    name: WORKER,
    plan(seed, id) {
      const plan = planFlow(seed, id, WORKER_LIMITS)
      return plan.ending === 'abort' ? { ...plan, ending: 'close' } : plan // a Worker cannot reset (S-091, S-132)
    },
    async run(plan, progress, signal) {
      try {
        const answer = await post(url, planLine(plan).trimEnd(), agent, signal)
        const result = JSON.parse(answer) as FlowResult
        Object.assign(progress, { sent: result.sent, received: result.received })
        return result
      } catch (error) {
        // The Worker's runtime ends with the edge that runs it.
        const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
        return { id: plan.id, outcome: 'failed', code, detail: String(error), sent: 0, received: 0 }
      }
    },
  }
}

function post(url: string, body: string, agent: Agent, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, signal }, (response) => {
      text(response).then((answer) => {
        if (response.statusCode === 200) resolve(answer)
        else reject(Object.assign(new Error(answer), { code: `http_${response.statusCode}` }))
      }, reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
