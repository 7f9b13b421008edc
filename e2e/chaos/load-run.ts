import { setTimeout as pause } from 'node:timers/promises'
import type { Child } from './child.ts'
import type { LoadCommand, LoadMessage } from './load/main.ts'
import type { LoadTotals } from './load/tally.ts'
import type { Probe } from './recovery.ts'

const SAY_EVERY_MS = 10_000

/** The callers, from the harness's side. */
export class LoadRun {
  readonly probes: Probe[] = []
  readonly #child: Child
  readonly #say: (line: string) => void
  #totals: LoadTotals | undefined
  #ended: (totals: LoadTotals) => void = () => {}
  #saidMs = 0

  constructor(child: Child, say: (line: string) => void) {
    this.#child = child
    this.#say = say
    child.onMessage((message) => this.#hear(message as LoadMessage))
  }

  /** Lets flows run until `during` resolves, then waits up to `limitMs` for the last ones. @returns how things stand then */
  async run(during: () => Promise<void>, limitMs: number): Promise<LoadTotals> {
    const ended = new Promise<LoadTotals>((resolve) => (this.#ended = resolve))
    this.#tell({ type: 'run' })
    await during()
    this.#tell({ type: 'stop' })
    const late = pause(limitMs, undefined, { ref: false })
    const totals = (await Promise.race([ended, late])) ?? this.#totals
    if (totals === undefined) throw new Error('the callers have said nothing')
    return totals
  }

  broken(broken: boolean): void {
    this.#tell({ type: 'broken', broken })
  }

  probe(on: boolean): void {
    this.#tell({ type: 'probe', on })
  }

  #tell(command: LoadCommand): void {
    this.#child.send(command)
  }

  #hear(message: LoadMessage): void {
    if (message.type === 'probe') {
      this.probes.push(message.probe)
      return
    }
    this.#totals = message.totals
    if (message.type === 'ended') this.#ended(message.totals)
    const nowMs = performance.now()
    if (nowMs - this.#saidMs < SAY_EVERY_MS) return
    this.#saidMs = nowMs
    const { flows, ok, open, bytes, corrupted, silent } = message.totals
    const mb = (bytes / 1e6).toFixed(0)
    this.#say(
      `          ${open} flows open, ${ok} of ${flows} ok, ${mb} MB, ${corrupted.length} corrupted, ${silent.length} silent`,
    )
  }
}
