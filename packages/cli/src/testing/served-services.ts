import { HawserError } from '@hawser/core'
import type { ServedService, ServeOptions } from './hawser.ts'
import { nameOf, readServedTarget } from './private-networks.ts'
import type { PrivateNetworks } from './private-networks.ts'
import { PrivateService } from './private-service.ts'
import type { ServiceHandler } from './service-handler.ts'

/** How long what is under way at the end gets to finish: bytes that a Worker has sent may not have arrived. */
const SETTLE_MS = 500

/** All that a test serves to one Worker, and what went wrong with it. */
export class ServedServices {
  readonly #networks: PrivateNetworks
  readonly #services = new Set<PrivateService>()
  readonly #failures: unknown[] = []
  #isClosing = false

  constructor(networks: PrivateNetworks) {
    this.#networks = networks
  }

  /** Remembers something that has to fail the test. */
  readonly failed = (error: unknown): void => void this.#failures.push(error)

  /**
   * @param binding undefined for public hosts
   * @param written what it answers, as the test wrote it; undefined for everything of the binding
   * @throws {HawserError} `options_invalid`; `listen_failed` once all is closing
   */
  async serve(
    binding: string | undefined,
    written: number | string | undefined,
    handler: ServiceHandler,
    options: ServeOptions = {},
  ): Promise<ServedService> {
    if (this.#isClosing) throw new HawserError('listen_failed', 'serve(): this Worker has been closed')
    const target = written === undefined ? {} : readServedTarget(written)
    const service = new PrivateService(handler, options, this.failed)
    const takeBack = this.#networks.serve(binding, target, service)
    this.#services.add(service)
    const close = (): Promise<void> => {
      takeBack()
      this.#services.delete(service)
      return service.close()
    }
    try {
      return { port: await service.listening, close, [Symbol.asyncDispose]: close }
    } catch (error) {
      const { code, message } = HawserError.from(error, 'listen_failed')
      throw new HawserError(code, `${nameOf(binding, target)}: ${message}`, { cause: error })
    }
  }

  /**
   * Ends everything, with time to finish for scripts before their callers end, and for handlers after that.
   *
   * @param endCallers ends all connections of the Worker's
   */
  async close(endCallers: () => Promise<void>): Promise<void> {
    this.#isClosing = true
    const services = [...this.#services]
    try {
      await Promise.all(services.map((service) => service.played(SETTLE_MS)))
      await endCallers()
      // What a handler makes of the end of its connection is to be heard.
      await Promise.all(services.map((service) => service.drain(SETTLE_MS)))
    } finally {
      await Promise.all(services.map((service) => service.close()))
    }
  }

  /** Throws what has gone wrong: as it is, if it is one thing. */
  throwFailures(): void {
    const { length } = this.#failures
    if (length === 0) return
    if (length === 1) throw this.#failures[0]
    const reasons = this.#failures.map((error) => (error instanceof Error ? error.message : String(error)))
    throw new AggregateError(this.#failures, `${length} failures in private services:\n${reasons.join('\n')}`)
  }
}
