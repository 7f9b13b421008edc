import { Session } from 'node:inspector'

const LOOK_MS = 5_000
/** Shares of one core, and looks in a row: a pause between two transfers is not a quiet time. */
const BUSY_LOAD = 0.2
const QUIET_LOAD = 0.1
const QUIET_LOOKS = 2

/** Tells quiet times from busy ones by the CPU that they take. */
export class QuietTimes {
  #wasBusy = false
  #quietLooks = 0

  /**
   * @param load share of one core since the last look
   * @returns true once for each busy time: when it has been quiet for a while
   */
  look(load: number): boolean {
    if (load >= BUSY_LOAD) this.#wasBusy = true
    this.#quietLooks = load < QUIET_LOAD ? this.#quietLooks + 1 : 0
    if (!this.#wasBusy || this.#quietLooks < QUIET_LOOKS) return false
    this.#wasBusy = false
    return true
  }
}

/**
 * Has the process give memory back to the system when a busy time is over. V8 collects while something is allocated, so in a
 * quiet process the garbage of the last storm stays, and so do the pages of a heap that has shrunk: of an edge that had 200
 * connections break again and again, some 70 MiB. A collection stops the process for about a tenth of a second; hence only then.
 *
 * @returns a function that ends it. It keeps no process alive
 */
export function giveMemoryBackWhenQuiet(collect: () => void = collectAll): () => void {
  const times = new QuietTimes()
  let before = { cpu: process.cpuUsage(), atMs: performance.now() }
  const timer = setInterval(() => {
    const now = { cpu: process.cpuUsage(), atMs: performance.now() }
    const busyMs = (now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system) / 1_000
    const load = busyMs / (now.atMs - before.atMs)
    before = now
    if (times.look(load)) collect()
  }, LOOK_MS).unref()
  return () => clearInterval(timer)
}

/**
 * By the inspector, which Node offers from within: `gc` of `--expose-gc` exists in new contexts only, and a process that ever had a
 * second context is a fifth slower from then on (measured on Node 24).
 */
function collectAll(): void {
  const session = new Session()
  session.connect()
  session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect())) // not from within: Node 24 hangs
}
