import { HawserError } from '@hawser/core'
import type { Logger, Probe } from '@hawser/core'
import type { TargetHealth } from '@hawser/tunnel'
import type { Clock } from './clock.ts'
import type { TargetDialer } from './dial-target.ts'
import { askTarget } from './probe.ts'

/** What a {@link Prober} stands on. Lent, not owned. */
export interface ProberOptions {
  readonly dial: TargetDialer
  readonly clock: Clock
  readonly logger: Logger
  /** Told when a target is found to be otherwise than before. */
  readonly onChange: () => void
}

/** A target that served is asked again this soon after it failed once: one lost packet is no outage. */
const SECOND_TRY_MS = 1_000

interface Running {
  readonly stop: AbortController
  health: TargetHealth | undefined
}

/** Runs the probes that the edge has asked for, and knows what they found last. */
export class Prober {
  readonly #options: ProberOptions
  /** By all that a probe says: one that is asked for again goes on as it is. */
  readonly #running = new Map<string, Running>()

  constructor(options: ProberOptions) {
    this.#options = options
  }

  /** Of targets that have been asked at least once. */
  get health(): readonly TargetHealth[] {
    return [...this.#running.values()].flatMap(({ health }) => (health === undefined ? [] : [health]))
  }

  /** Runs these and no others. */
  set(probes: readonly Probe[]): void {
    const wanted = new Map(probes.map((probe) => [JSON.stringify(probe), probe]))
    for (const [key, { stop }] of this.#running) {
      if (wanted.has(key)) continue
      this.#running.delete(key)
      stop.abort()
    }
    for (const [key, probe] of wanted) {
      if (this.#running.has(key)) continue
      const running: Running = { stop: new AbortController(), health: undefined }
      this.#running.set(key, running)
      void this.#run(probe, running)
    }
  }

  /** Ends until it is told to stop; never rejects. */
  async #run(probe: Probe, running: Running): Promise<void> {
    const { clock } = this.#options
    const { signal } = running.stop
    await clock.wait(clock.random() * Math.min(probe.intervalMs, SECOND_TRY_MS), signal) // not all at the same moment
    for (let doubted = false; !signal.aborted;) {
      const error = await this.#ask(probe, signal)
      if (signal.aborted) return
      doubted = error !== undefined && running.health?.healthy === true && !doubted
      if (!doubted) this.#learn(probe, running, error)
      await clock.wait(doubted ? SECOND_TRY_MS : probe.intervalMs, signal)
    }
  }

  async #ask(probe: Probe, signal: AbortSignal): Promise<HawserError | undefined> {
    try {
      await askTarget(probe, this.#options.dial, signal)
      return undefined
    } catch (error) {
      return HawserError.from(error, 'proxy_internal_error')
    }
  }

  #learn({ host, port, type }: Probe, running: Running, error: HawserError | undefined): void {
    const { health: before } = running
    if (before !== undefined && before.code === error?.code) return
    const target = { host, port, healthy: error === undefined }
    running.health = error === undefined ? target : { ...target, code: error.code }
    const { logger, onChange } = this.#options
    const fields = { host, port, type, code: error?.code, error }
    if (error === undefined) logger.info('the target answers', fields)
    else logger.warn('the target does not answer', fields)
    onChange()
  }
}
