import { machineMs } from './machine-clock.ts'
import type { ReachChange } from './recovery.ts'

interface ReplicaState {
  /** Its process runs. */
  up: boolean
  /** Its process is not stopped. */
  awake: boolean
  /** Its way to the edge is whole: neither cut nor slowed down. */
  linked: boolean
}

/** What the harness knows, whatever Hawser makes of it: whether any connector could reach the edge, and since when. */
export class Reach {
  readonly changes: ReachChange[] = []
  readonly #edge = { up: false, awake: true }
  readonly #replicas: readonly ReplicaState[]

  constructor(replicas: number) {
    this.#replicas = Array.from({ length: replicas }, () => ({ up: false, awake: true, linked: true }))
  }

  get reachable(): boolean {
    const { up, awake } = this.#edge
    return up && awake && this.#replicas.some((replica) => replica.up && replica.awake && replica.linked)
  }

  edge(change: Partial<Omit<ReplicaState, 'linked'>>, why: string): void {
    Object.assign(this.#edge, change)
    this.#note(why)
  }

  replica(index: number, change: Partial<ReplicaState>, why: string): void {
    Object.assign(this.#replicas[index] ?? {}, change)
    this.#note(why)
  }

  #note(why: string): void {
    this.changes.push({ atMs: machineMs(), reachable: this.reachable, why })
  }
}
