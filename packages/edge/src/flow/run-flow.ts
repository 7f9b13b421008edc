import { HawserError, resetDialed } from '@hawser/core'
import type { FlowStep } from '@hawser/core'
import { admit } from './admit.ts'
import { FlowContext } from './context.ts'
import type { Call, FlowBinding, FlowServices } from './context.ts'
import { dial } from './dial.ts'
import { identify } from './identify.ts'
import { policy } from './policy.ts'
import { record } from './record.ts'
import { relay, StaleConnection } from './relay.ts'
import { route } from './route.ts'
import { secure } from './secure.ts'
import { target } from './target.ts'

interface Step {
  readonly name: FlowStep
  /** Returns a promise only where there is something to wait for. */
  readonly run: (context: FlowContext) => void | Promise<void>
}

/** Between identify, which makes the record, and record, which ends it. */
const STEPS: readonly Step[] = [
  { name: 'target', run: target },
  { name: 'admit', run: admit },
  { name: 'policy', run: policy },
  { name: 'route', run: route },
  { name: 'dial', run: dial },
  { name: 'secure', run: secure },
  { name: 'relay', run: relay },
]

/**
 * Takes one call through the nine steps. Never throws: a failure ends in the record and in the answer to the Worker, in
 * that order.
 */
export async function runFlow(services: FlowServices, binding: FlowBinding, call: Call): Promise<void> {
  const startedAt = performance.now()
  const flow = identify(binding.identity, call, Date.now())
  const context = new FlowContext(services, binding, call, flow)
  context.upgrade = binding.upgrades.open(context)
  flow.timings.identify = performance.now() - startedAt
  let error = await runSteps(context)
  if (error instanceof StaleConnection) {
    context.mayReuse = false // once: a fresh connection that fails is the target's doing
    error = await runSteps(context)
  }
  release(context)
  record(context)
  if (error !== undefined) call.refuse(error, flow)
  if (context.upgrade !== undefined) binding.upgrades.end(context.upgrade, error)
}

/** @returns the error that stopped a step, which the flow's record then holds too */
async function runSteps(context: FlowContext): Promise<HawserError | undefined> {
  const { flow } = context
  let startedAt = performance.now()
  for (const { name, run } of STEPS) {
    let error: HawserError | undefined
    try {
      const waiting = run(context)
      if (waiting !== undefined) await waiting
    } catch (thrown) {
      error = HawserError.from(thrown, 'proxy_internal_error')
    }
    const endedAt = performance.now()
    flow.timings[name] = (flow.timings[name] ?? 0) + endedAt - startedAt
    startedAt = endedAt
    if (error !== undefined) {
      flow.error = { code: error.code, message: error.message, step: name }
      return error
    }
  }
  if (flow.error !== undefined) delete flow.error // of an attempt that was repeated
  return undefined
}

/** What a step opened and no later one took over. */
function release(context: FlowContext): void {
  context.upstream?.abort()
  if (context.dialed !== undefined) resetDialed(context.dialed)
}
