/** The Worker among the callers: runs one flow for each request, over its binding, and answers what became of it. */
import { Pattern } from '../flow/pattern.ts'
import { parsePlan } from '../flow/plan.ts'
import { runFlow } from '../flow/run-flow.ts'
import type { FlowSocket } from '../flow/run-flow.ts'

interface Env {
  readonly NET: { connect(address: string, options: { readonly allowHalfOpen: boolean }): FlowSocket }
  readonly TARGET: string
  readonly SEED: string
}

let pattern: Pattern | undefined

// oxlint-disable-next-line import/no-default-export -- workerd takes the handlers of a Worker from it
export default {
  async fetch(request: Request, { NET, TARGET, SEED }: Env): Promise<Response> {
    pattern ??= new Pattern(Number(SEED))
    const plan = parsePlan(await request.text())
    if (plan === undefined) return new Response('no plan', { status: 400 })
    const progress = { opened: false, sent: 0, received: 0 }
    return Response.json(
      await runFlow(plan, pattern, ({ allowHalfOpen }) => NET.connect(TARGET, { allowHalfOpen }), progress),
    )
  },
}
