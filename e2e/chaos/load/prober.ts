import type { VpcBinding } from '../../../packages/sockets/src/index.ts'
import { machineMs } from '../machine-clock.ts'
import type { Probe } from '../recovery.ts'

/** How often it is asked whether a new flow succeeds. */
const INTERVAL_MS = 100
/** One that takes longer has failed: no answer in time is none. */
const TIMEOUT_MS = 8_000
/** Those that hang must not add up; as many as can hang have room, or none would be begun when the edge goes on. */
const MAX_OPEN = 100

/** Opens a small flow again and again: five bytes there and back. */
export class Prober {
  readonly #network: VpcBinding
  readonly #target: string
  readonly #onProbe: (probe: Probe) => void
  readonly #timer: NodeJS.Timeout
  #open = 0

  constructor(network: VpcBinding, target: string, onProbe: (probe: Probe) => void) {
    this.#network = network
    this.#target = target
    this.#onProbe = onProbe
    this.#timer = setInterval(() => void this.#probe(), INTERVAL_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #probe(): Promise<void> {
    if (this.#open >= MAX_OPEN) return
    this.#open += 1
    const startedMs = machineMs()
    let code: string | undefined
    try {
      await this.#exchange()
    } catch (error) {
      code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    }
    this.#open -= 1
    this.#onProbe({ startedMs, endedMs: machineMs(), ok: code === undefined, code })
  }

  async #exchange(): Promise<void> {
    const socket = this.#network.connect(this.#target, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    socket.closed.catch(() => {})
    try {
      await socket.opened
      await socket.writable.getWriter().write(new TextEncoder().encode('alive'))
      const reader = socket.readable.getReader()
      for (let bytes = 0; bytes < 5;) {
        const { done, value } = await reader.read()
        if (done) throw new Error('the echo ended early')
        bytes += value.length
      }
    } finally {
      socket.close().catch(() => {})
    }
  }
}
