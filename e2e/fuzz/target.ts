import type { Arbitrary } from 'fast-check'

/** A parser under fire: inputs for it, and what must hold of each. */
export interface FuzzTarget<Input = unknown> {
  readonly name: string
  readonly inputs: Arbitrary<Input>
  /** @throws whatever shows that the parser crashed, or accepted what its oracle does not */
  check(input: Input): void
}

/** Keeps a target together with its inputs' type while many of them stand in one list. */
export function fuzzTarget<Input>(target: FuzzTarget<Input>): FuzzTarget {
  return { ...target, inputs: target.inputs, check: (input) => target.check(input as Input) }
}

/** The parser accepted what its oracle does not, or read it otherwise. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement'
}

/** Fails unless both readings of `input` are the same. */
export function agree(what: string, input: string, ours: unknown, oracle: unknown): void {
  const [left, right] = [JSON.stringify(ours), JSON.stringify(oracle)]
  if (left !== right) throw new Disagreement(`${what} of ${JSON.stringify(input)}: ${left}, by the oracle ${right}`)
}
