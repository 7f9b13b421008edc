import type { PeerName } from './peer.ts'
import type { Trial } from './trial.ts'

/** One thing that `connect()` does, and the proof of it: the same code for every host. */
export interface Behaviour {
  /** The item of the reference, with a letter where one item takes several behaviours: `S-051`, `S-054b`. */
  readonly id: string
  /** A sentence that says what is so. */
  readonly title: string
  readonly peer: PeerName
  /** Also run over `connect()` of a VPC binding where the host has one; then only `t.open()` may be used to connect. */
  readonly binding?: true
  /** Run while no other behaviour is running: it looks at something that all of them share. */
  readonly alone?: true
  /** Parts that run as an invocation of their own, for `t.invoke()`. */
  readonly acts?: Readonly<Record<string, (t: Trial, value: unknown) => Promise<unknown>>>
  /** Returns if the behaviour is as it should be, throws what is wrong if not. */
  run(t: Trial): Promise<void>
}

/** Turns a list into behaviours that differ in one value: a, b, c… are added to `id` in order. */
export function each<T>(
  id: string,
  cases: readonly T[],
  make: (one: T) => Omit<Behaviour, 'id'>,
  firstLetter = 'a',
): Behaviour[] {
  const first = firstLetter.charCodeAt(0)
  return cases.map((one, index) => ({ id: `${id}${String.fromCharCode(first + index)}`, ...make(one) }))
}
