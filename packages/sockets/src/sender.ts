import type { Socket as NodeSocket } from 'node:net'
import { copyOf, giveBack, lentCopy } from './copies.ts'
import { ignore } from './deferred.ts'
import { TEXT } from './messages.ts'
import { bytesOf } from './view.ts'

/** What the sending half tells its connection. */
export interface SenderEvents {
  /** A write has met the loss of the connection. */
  lossWasMet(error: Error): void
}

/** The writer that holds the lock, as far as the sender needs it. */
export interface WriterLock {
  /** The end was sent. */
  end(): void
  /** The stream failed with the sender's `error`. */
  fail(): void
}

/** Bytes, or the end (`undefined`), on the way to the socket. */
interface Entry {
  readonly bytes: Uint8Array | undefined
  /** The bytes are a `lentCopy()`. */
  readonly lent: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Stands for the error of a closed socket until somebody asks for it: most sockets are closed, and an error is dear. */
const SHUT = Symbol('closed')

/** Writes are handed to Node in batches of at most this many bytes, so that their promises settle as they leave. */
const BATCH_BYTES = 262_144

/**
 * The sending half of one socket: a queue in front of Node's, so that what was not handed over can be taken back (S-091).
 * One batch at a time is with Node; the queue itself is as long as the program lets it grow, as on workerd: each `write()`
 * promise settles when its bytes are with the kernel, and that is the backpressure.
 */
export class Sender {
  readonly #events: SenderEvents
  readonly #budget: number | undefined
  #socket: NodeSocket | undefined
  #queue: Entry[] = []
  /** The batch that is with Node. */
  #flight: Entry[] = []
  #queuedBytes = 0
  /** `ending`: the end is queued. `errored`: `#error` says with what. */
  #state: 'open' | 'ending' | 'closed' | 'errored' = 'open'
  #error: unknown
  #refusing = false
  /** The connection is lost, and no write has met it yet. */
  #lost: Error | undefined
  /** Over the budget. */
  #pressed = false
  #ready: PromiseWithResolvers<undefined> | undefined
  #flushed: PromiseWithResolvers<void> | undefined
  #end: Promise<void> | undefined
  lock: WriterLock | undefined

  constructor(budget: number | undefined, events: SenderEvents) {
    this.#budget = budget
    this.#events = events
  }

  get state(): 'open' | 'ending' | 'closed' | 'errored' {
    return this.#state
  }

  /** What an aborted or failed stream fails with. */
  get error(): unknown {
    if (this.#error === SHUT) this.#error = new TypeError(TEXT.socketClosed)
    return this.#error
  }

  /** S-043, S-044: without a budget of its own, always 1. */
  get desiredSize(): number | null {
    if (this.#state === 'errored') return null
    if (this.#state === 'closed') return 0
    return this.#budget === undefined ? 1 : this.#budget - this.#queuedBytes
  }

  /** Waits for the budget, not for the connection (S-053). The same promise until it changes. */
  get ready(): Promise<undefined> {
    if (this.#ready === undefined) {
      this.#ready = Promise.withResolvers()
      this.#ready.resolve(undefined)
    }
    return this.#ready.promise
  }

  /** The connection is open: what is queued leaves. */
  attach(socket: NodeSocket): void {
    this.#socket = socket
    this.#pump()
  }

  /** The socket is another's now: nothing can leave from here any more. */
  detach(): void {
    this.#socket = undefined
    this.#state = 'closed'
  }

  /** S-085 to S-088. */
  write(chunk: unknown): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal.reason)
    const bytes = bytesOf(chunk)
    if (bytes === undefined) return Promise.reject(new TypeError(TEXT.chunkInvalid))
    if (this.#lost !== undefined) return Promise.reject(this.#meetLoss(this.#lost))
    const mine = typeof chunk === 'string' // the bytes of a text are nobody else's
    const socket = this.#socket
    if (socket === undefined || this.#busy || this.#budget !== undefined) {
      return this.#enqueue(mine ? bytes : copyOf(bytes))
    }
    if (bytes.length === 0) return Promise.resolve()
    const copy = mine ? bytes : lentCopy(bytes)
    socket.write(copy, this.#onFlushed)
    if (!this.#hasLeft()) {
      return new Promise((resolve, reject) => this.#flight.push({ bytes: copy, lent: !mine, resolve, reject }))
    }
    // The usual case: the kernel took it all at once, and there is nothing to wait for.
    if (!mine) giveBack(copy)
    return Promise.resolve()
  }

  /** Flushes, then sends the end (S-090). */
  close(): Promise<void> {
    if (this.#refusing && this.#state === 'open') return Promise.reject(new TypeError(TEXT.socketClosed))
    const refusal = this.#state === 'errored' ? { reason: this.error } : this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal.reason)
    if (this.#lost !== undefined) return Promise.reject(this.#meetLoss(this.#lost))
    return this.#sendEnd()
  }

  /** Drops what is queued and tells the peer nothing (S-091). */
  abort(reason: unknown): void {
    if (this.#state === 'open' || this.#state === 'ending' || this.#busy) this.#fail(reason)
  }

  /** The connect failed: an end that was asked for counts as sent (S-063, S-064). */
  failToOpen(reason: Error): void {
    const waiting = this.#queue.filter((entry) => entry.bytes === undefined)
    this.#queue = this.#queue.filter((entry) => entry.bytes !== undefined)
    this.abort(reason)
    for (const entry of waiting) entry.resolve()
  }

  /** The connection is lost. Writes on their way fail with it; without any, the next one will. */
  lose(error: Error): void {
    if (this.#busy) this.#meetLoss(error)
    else if (this.#state === 'open') this.#lost = error
  }

  /** The peer's end was read: flushes and ends (S-100). Settles when that is done, rejects if the stream was aborted. */
  async endAfterPeer(): Promise<void> {
    if (this.#state === 'errored') throw this.error
    if (this.#state === 'open') void this.#sendEnd()
    this.#state = 'closed'
    await this.#end
  }

  /** The socket is closed: what did not leave fails (S-135). */
  shut(): void {
    this.abort(SHUT)
  }

  /** Writes reject from here on; those before are still sent (S-133, S-134). */
  refuse(): void {
    this.#refusing = true
  }

  get refusing(): boolean {
    return this.#refusing
  }

  /** Settles, never rejecting, when nothing is on its way any more: all sent, or given up. */
  flushed(): Promise<void> {
    if (!this.#busy) return Promise.resolve()
    this.#flushed ??= Promise.withResolvers()
    return this.#flushed.promise
  }

  get #busy(): boolean {
    return this.#flight.length > 0 || this.#queue.length > 0
  }

  #refusal(): { reason: unknown } | undefined {
    if (this.#refusing) return { reason: new TypeError(TEXT.writableClosing) }
    if (this.#state === 'errored') return { reason: this.error }
    if (this.#state !== 'open') return { reason: new TypeError(TEXT.writableClosed) }
    return undefined
  }

  #enqueue(bytes: Uint8Array | undefined): Promise<void> {
    const sent = new Promise<void>((resolve, reject) => {
      this.#queue.push({ bytes, lent: false, resolve, reject })
    })
    this.#queuedBytes += bytes?.length ?? 0
    if (!this.#pressed && this.#budget !== undefined && this.#queuedBytes >= this.#budget) {
      this.#pressed = true
      this.#ready = Promise.withResolvers()
    }
    this.#pump()
    return sent
  }

  #sendEnd(): Promise<void> {
    this.#state = 'ending'
    const end = this.#enqueue(undefined)
    end.catch(ignore)
    this.#end = end
    return end
  }

  /** Hands batch after batch to Node, until one stays with it. */
  #pump(): void {
    const socket = this.#socket
    while (socket !== undefined && this.#flight.length === 0 && this.#queue.length > 0) {
      if (this.#queue[0]?.bytes === undefined) {
        this.#flight = this.#queue.splice(0, 1)
        socket.end(this.#onEnded)
        return
      }
      this.#flight = this.#nextBatch()
      const sent = this.#send(socket, this.#flight)
      // A budget is given back when the promise settles, never within the call (S-043).
      if (sent && (this.#budget !== undefined || !this.#hasLeft())) return
      this.#settle()
    }
    this.#tellFlushed()
  }

  /** Hands a batch to Node. @returns false if there was nothing in it to send */
  #send(socket: NodeSocket, batch: readonly Entry[]): boolean {
    let sent = false
    if (batch.length > 1) socket.cork() // one system call for them all
    for (const { bytes } of batch) {
      if (bytes === undefined || bytes.length === 0) continue
      socket.write(bytes, this.#onFlushed)
      sent = true
    }
    if (batch.length > 1) socket.uncork()
    return sent
  }

  /** Everything up to the end or the batch limit; at least one write, and with a budget no more, so that it is seen. */
  #nextBatch(): Entry[] {
    if (this.#budget !== undefined) return this.#queue.splice(0, 1)
    let bytes = 0
    let count = 0
    for (const entry of this.#queue) {
      if (entry.bytes === undefined || (count > 0 && bytes + entry.bytes.length > BATCH_BYTES)) break
      bytes += entry.bytes.length
      count += 1
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count)
    const batch = this.#queue
    this.#queue = []
    return batch
  }

  /** True when the batch is with the kernel: Node reports each write, but holds nothing only after the last. */
  #hasLeft(): boolean {
    const socket = this.#socket
    return socket !== undefined && socket.writableLength === 0 && socket.errored === null && !socket.destroyed
  }

  readonly #onFlushed = (): void => {
    if (this.#flight.length === 0 || this.#flight[0]?.bytes === undefined || !this.#hasLeft()) return
    this.#settle()
    // With a budget, whoever waited for this write looks at it before the next one leaves.
    if (this.#budget === undefined) this.#pump()
    else queueMicrotask(() => this.#pump())
  }

  readonly #onEnded = (error?: Error | null): void => {
    // An error has its own way here, through the socket's `error` event.
    if ((error !== undefined && error !== null) || this.#flight.length === 0) return
    this.#state = 'closed'
    this.#settle()
    this.lock?.end()
    this.#tellFlushed()
  }

  #settle(): void {
    const flight = this.#flight
    this.#flight = []
    for (const { bytes, lent, resolve } of flight) {
      this.#queuedBytes -= bytes?.length ?? 0
      if (lent && bytes !== undefined) giveBack(bytes)
      resolve()
    }
    if (!this.#pressed || this.#queuedBytes >= (this.#budget ?? 0)) return
    this.#pressed = false
    this.#ready?.resolve(undefined)
  }

  #meetLoss(error: Error): Error {
    this.#lost = undefined
    this.#fail(error)
    this.#events.lossWasMet(error)
    return error
  }

  #fail(reason: unknown): void {
    const given = [...this.#flight, ...this.#queue]
    this.#flight = []
    this.#queue = []
    this.#queuedBytes = 0
    this.#state = 'errored'
    this.#error = reason
    this.lock?.fail()
    for (const entry of given) entry.reject(this.error)
    this.#ready?.resolve(undefined)
    this.#tellFlushed()
  }

  #tellFlushed(): void {
    if (this.#busy) return
    this.#flushed?.resolve()
    this.#flushed = undefined
  }
}
