import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { resetStream } from '@hawser/core'
import type { Finding } from '../kills.ts'
import { machineMs } from '../machine-clock.ts'
import type { Pattern } from './pattern.ts'
import { MAX_LINE_BYTES, parsePlan, pauseOf, pieceSizes, resetAfter } from './plan.ts'
import type { FlowPlan } from './plan.ts'

/** What the target saw of all flows. */
export class TargetLedger {
  open = 0
  served = 0
  bytes = 0
  readonly corrupted: Finding[] = []
}

const LINE_FEED = 10

/** The target's side of one flow: checks what comes, sends what the plan says, ends as it says. Never rejects. */
export function serveFlow(socket: Socket, pattern: Pattern, ledger: TargetLedger): void {
  ledger.open += 1
  ledger.served += 1
  const flow = new ServedFlow(socket, pattern, ledger)
  socket.on('data', (chunk: Buffer) => flow.read(chunk))
  socket.on('end', () => flow.ended())
  socket.on('error', () => {}) // a reset is an outcome like any other; `close` follows
  socket.on('close', () => void (ledger.open -= 1))
}

class ServedFlow {
  readonly #socket: Socket
  readonly #from: string
  readonly #pattern: Pattern
  readonly #ledger: TargetLedger
  #line = ''
  #plan: FlowPlan | undefined
  #received = 0
  #sentAll = false

  constructor(socket: Socket, pattern: Pattern, ledger: TargetLedger) {
    this.#socket = socket
    this.#from = socket.remoteAddress ?? ''
    this.#pattern = pattern
    this.#ledger = ledger
  }

  read(chunk: Buffer): void {
    const rest = this.#plan === undefined ? this.#readLine(chunk) : chunk
    const plan = this.#plan
    if (plan === undefined || rest.length === 0) return
    const at = this.#pattern.differsAt(plan.id, 'up', this.#received, rest)
    this.#received += rest.length
    this.#ledger.bytes += rest.length
    if (at >= 0) this.#corrupted(`another byte than was sent, at ${at}`)
    else if (this.#received > plan.up) this.#corrupted(`more than the ${plan.up} bytes that were sent`)
  }

  /** The caller's end. Whoever was cut off must see a reset, so an end that comes early is a lie. */
  ended(): void {
    const plan = this.#plan
    if (plan === undefined) {
      // A caller that gave up before it said anything; with half a line said it is a cut like any other.
      if (this.#line !== '') this.#corrupted('a clean end within the first line', true)
      else this.#socket.end()
      return
    }
    if (this.#received < plan.up) this.#corrupted(`a clean end after ${this.#received} of ${plan.up} bytes`, true)
    else if (plan.ending === 'halfClose') void this.#send(plan)
    else if (this.#sentAll) this.#socket.end()
  }

  #readLine(chunk: Buffer): Buffer {
    const end = chunk.indexOf(LINE_FEED)
    this.#line += chunk.toString('latin1', 0, end < 0 ? chunk.length : end)
    if (end < 0) {
      if (this.#line.length > MAX_LINE_BYTES) this.#corrupted('a first line that is no plan')
      return Buffer.alloc(0)
    }
    this.#plan = parsePlan(this.#line)
    if (this.#plan === undefined) this.#corrupted(`a first line that is no plan: ${JSON.stringify(this.#line)}`)
    else if (this.#plan.ending !== 'halfClose') void this.#send(this.#plan)
    return chunk.subarray(end + 1)
  }

  /** Never rejects: a socket that breaks meanwhile has said so by its own events. */
  async #send(plan: FlowPlan): Promise<void> {
    const socket = this.#socket
    const resetAt = plan.ending === 'targetAbort' ? resetAfter(plan) : Number.POSITIVE_INFINITY
    let sent = 0
    for (const bytes of pieceSizes(-plan.id, plan.down)) {
      for (let left = Math.min(bytes, resetAt - sent); left > 0;) {
        const piece = this.#pattern.piece(plan.id, 'down', sent, left)
        if (socket.destroyed) return
        if (!socket.write(piece)) await drained(socket)
        sent += piece.length
        left -= piece.length
        this.#ledger.bytes += piece.length
      }
      if (sent >= resetAt) {
        this.#resetWhenSent()
        return
      }
      if (plan.pauseMs > 0) await pause(pauseOf(plan))
    }
    this.#sentAll = true
    // Otherwise it is for the caller to end first: by default an end from here would make it end too, with what it has.
    if ((plan.ending !== 'close' && plan.ending !== 'abort') || socket.readableEnded) socket.end()
  }

  /** A reset overtakes what the kernel still holds; what the caller is to read has to leave first. */
  #resetWhenSent(): void {
    this.#socket.write('', () => void pause(RESET_DELAY_MS).then(() => resetStream(this.#socket)))
  }

  #corrupted(problem: string, early = false): void {
    const { id = '?', ending = '?' } = this.#plan ?? {}
    this.#ledger.corrupted.push({
      from: this.#from,
      atMs: machineMs(),
      early,
      problem: `flow ${id} (${ending}) at the target: ${problem}`,
    })
    resetStream(this.#socket)
  }
}

/** Enough for what was handed to the kernel to cross a network inside this machine. */
const RESET_DELAY_MS = 50

async function drained(socket: Socket): Promise<void> {
  const closed = new AbortController()
  const onClose = (): void => closed.abort()
  socket.once('close', onClose)
  try {
    await once(socket, 'drain', { signal: closed.signal })
  } catch {
    // it broke; the caller looks
  } finally {
    socket.off('close', onClose)
  }
}
