import { inspect } from 'node:util'

const MASK = '[secret]'

/** A string that prints as a mask wherever it ends up: template, JSON, log line, inspector. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The text itself. Call it only where the value leaves for its one purpose. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}
