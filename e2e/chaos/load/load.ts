import type { FlowResult } from '../flow/run-flow.ts'
import type { Caller } from './callers.ts'
import { Tally } from './tally.ts'
import type { LoadTotals } from './tally.ts'
import { HealthyClock, SilenceWatch } from './watchdog.ts'

/** With nothing broken: longer than any pause that is planned, and than any time limit of Hawser's. */
const SILENT_MS = 20_000
const LOOK_MS = 500

export interface LoadPart {
  readonly caller: Caller
  /** Flows at a time. */
  readonly flows: number
}

interface Running {
  readonly watch: SilenceWatch
  giveUp(): void
}

/** Keeps so many flows of each caller going: where one ends, the next begins. */
export class Load {
  readonly #seed: number
  readonly #parts: readonly LoadPart[]
  readonly #healthy: HealthyClock
  readonly #tally = new Tally(noteToLog)
  readonly #running = new Set<Running>()
  readonly #looking: NodeJS.Timeout
  #nextId = 1
  #stopped = false

  constructor(seed: number, parts: readonly LoadPart[], now: () => number = () => performance.now()) {
    this.#seed = seed
    this.#parts = parts
    this.#healthy = new HealthyClock(now)
    this.#looking = setInterval(() => this.#look(), LOOK_MS)
  }

  /** Runs until {@link stop}; resolves when the last flow has its outcome, or has been silent for too long. */
  async run(): Promise<void> {
    const lanes = this.#parts.flatMap(({ caller, flows }) => Array.from({ length: flows }, () => this.#lane(caller)))
    await Promise.all(lanes)
    clearInterval(this.#looking)
  }

  /** No new flows. Those under way end as planned. */
  stop(): void {
    this.#stopped = true
  }

  set broken(broken: boolean) {
    this.#healthy.broken = broken
  }

  totals(): LoadTotals {
    return this.#tally.totals(this.#running.size)
  }

  async #lane(caller: Caller): Promise<void> {
    for (let failures = 0; !this.#stopped;) {
      const result = await this.#flow(caller)
      failures = result?.outcome === 'ok' ? 0 : failures + 1
      if (failures > 0) await new Promise((resolve) => setTimeout(resolve, retryMs(failures)))
    }
  }

  async #flow(caller: Caller): Promise<FlowResult | undefined> {
    const id = this.#nextId
    this.#nextId += 1
    const plan = caller.plan(this.#seed, id)
    const progress = { opened: false, sent: 0, received: 0 }
    const gaveUp = Promise.withResolvers<undefined>()
    const abort = new AbortController()
    const running: Running = {
      watch: new SilenceWatch(progress, SILENT_MS, this.#healthy.ms),
      giveUp() {
        gaveUp.resolve(undefined)
        abort.abort()
      },
    }
    this.#running.add(running)
    const result = await Promise.race([caller.run(plan, progress, abort.signal), gaveUp.promise])
    this.#running.delete(running)
    if (result !== undefined) this.#tally.add(result, caller.name, plan.ending)
    else {
      const { opened, sent, received } = progress
      const seen = `${opened ? 'open' : 'not open'}, ${sent} of ${plan.up} sent, ${received} of ${plan.down} received`
      this.#tally.addSilent(id, `${caller.name}, ${plan.ending}`, `nothing for ${SILENT_MS / 1_000} s: ${seen}`)
    }
    return result
  }

  #look(): void {
    const { ms } = this.#healthy
    for (const running of this.#running) if (running.watch.isSilent(ms)) running.giveUp()
  }
}

const FIRST_RETRY_MS = 400
const MAX_RETRY_MS = 2_000

/** As programs do that mean to be let in again: each failure in a row doubles the wait, and no two wait alike. */
function retryMs(failures: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) * (0.5 + Math.random())
}

/** What the process prints is kept. */
function noteToLog(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`)
}
