import type { Logger } from '@hawser/core'
import type { Configuration } from '@hawser/tunnel'
import { compileAddressRules } from './address-rules.ts'
import type { AddressRules } from './address-rules.ts'
import type { Prober } from './prober.ts'

/** What the edge has told this connector to do. Flows that run go on as they are. */
export class LiveSettings {
  readonly #own: AddressRules
  readonly #logger: Logger
  #version = 0
  #pushed: AddressRules = () => undefined

  /** @param own the rules that the connector was started with; what the edge pushes can only forbid more */
  constructor(own: AddressRules, logger: Logger) {
    this.#own = own
    this.#logger = logger
  }

  /** Of the configuration that counts; 0 before one came. */
  get version(): number {
    return this.#version
  }

  /** For dialling. */
  readonly rules: AddressRules = (ip) => this.#own(ip) ?? this.#pushed(ip)

  /**
   * Takes a configuration; each of the tunnel's connections brings it, and only the first counts.
   *
   * @returns whether it was news
   * @throws {HawserError} `options_invalid`, and nothing has changed
   */
  apply({ version, settings }: Configuration, prober: Prober): boolean {
    if (version <= this.#version) return false
    const { allow, deny, logLevel, probes } = settings
    this.#pushed = compileAddressRules({ allow, deny })
    this.#version = version
    this.#logger.setLevel?.(logLevel)
    prober.set(probes)
    const counts = { allow: allow.length, deny: deny.length, probes: probes.length }
    this.#logger.info('configured by the edge', { version, logLevel, ...counts })
    return true
  }
}
