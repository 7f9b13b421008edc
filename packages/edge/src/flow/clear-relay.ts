import type { Duplex } from 'node:stream'
import { endWhenSent, resetStream } from '@hawser/core'
import type { SpliceBytes, StopSignal } from '@hawser/core'

/** `ended`: both sides have. `upgrade`: the Worker has said all it had to say in clear, and the target is to be taken over. */
export type ClearOutcome = 'ended' | 'upgrade'

/**
 * A splice of core that can be stopped half way: the clear part of a connection that may be upgraded to TLS. It differs
 * from that one in {@link stop} alone. One use.
 */
export class ClearRelay {
  readonly #worker: Duplex
  readonly #target: Duplex
  readonly #moved: SpliceBytes
  readonly #signal: StopSignal
  #settle: ((result: ClearOutcome | Error) => void) | undefined
  #stopped = false
  #workerEnded = false
  #targetEnded = false
  #open = 2

  /** @param moved `forward` from the Worker to the target */
  constructor(worker: Duplex, target: Duplex, moved: SpliceBytes, signal: StopSignal) {
    this.#worker = worker
    this.#target = target
    this.#moved = moved
    this.#signal = signal
  }

  /**
   * Moves bytes until both sides have ended, or until the Worker has ended after {@link stop}. Then the Worker's stream is
   * over, and the target's, paused and without our listeners, is whoever's takes it.
   *
   * @throws the error that ended either stream, or the reason of the signal; both streams are reset
   */
  run(): Promise<ClearOutcome> {
    return new Promise((resolve, reject) => {
      this.#settle = (result) => {
        this.#settle = undefined
        this.#signal.removeEventListener('abort', this.#onAbort)
        this.#release()
        if (!(result instanceof Error)) return resolve(result)
        resetStream(this.#worker)
        resetStream(this.#target)
        return reject(result)
      }
      this.#worker.on('error', this.#onError) // stays: it may fail after its end, and that must not go uncaught
      if (this.#signal.aborted) return this.#onAbort()
      const lost = [this.#worker, this.#target].find((stream) => stream.destroyed)
      if (lost !== undefined) return this.#fail(lost.errored ?? new Error('a stream was closed before it was relayed'))
      this.#signal.addEventListener('abort', this.#onAbort, { once: true })
      return this.#listen()
    })
  }

  /**
   * From now on nothing of the target reaches the Worker; what has been relayed already does, and then an end. The Worker's
   * own end is from now on the word to take over.
   *
   * @returns false where it is too late: the Worker has ended before, and the target been told so
   */
  stop(): boolean {
    if (this.#workerEnded || this.#stopped || this.#settle === undefined) return false
    this.#stopped = true
    const target = this.#target
    target.off('data', this.#onTargetData)
    target.off('end', this.#onTargetEnd)
    this.#worker.off('drain', this.#onWorkerDrain)
    target.pause()
    if (!this.#targetEnded) endWhenSent(this.#worker, () => {})
    return true
  }

  #listen(): void {
    const [worker, target] = [this.#worker, this.#target]
    worker.on('close', this.#onWorkerClose)
    worker.on('data', this.#onWorkerData)
    worker.on('drain', this.#onWorkerDrain)
    worker.on('end', this.#onWorkerEnd)
    target.on('error', this.#onError)
    target.on('close', this.#onTargetClose)
    target.on('data', this.#onTargetData)
    target.on('drain', this.#onTargetDrain)
    target.on('end', this.#onTargetEnd)
  }

  #release(): void {
    const [worker, target] = [this.#worker, this.#target]
    worker.off('close', this.#onWorkerClose)
    worker.off('data', this.#onWorkerData)
    worker.off('drain', this.#onWorkerDrain)
    worker.off('end', this.#onWorkerEnd)
    target.off('error', this.#onError)
    target.off('close', this.#onTargetClose)
    target.off('data', this.#onTargetData)
    target.off('drain', this.#onTargetDrain)
    target.off('end', this.#onTargetEnd)
  }

  readonly #onWorkerData = (chunk: Buffer): void => {
    this.#moved.forward += chunk.length
    if (!this.#target.write(chunk)) this.#worker.pause()
  }

  readonly #onTargetData = (chunk: Buffer): void => {
    this.#moved.backward += chunk.length
    if (!this.#worker.write(chunk)) this.#target.pause()
  }

  readonly #onWorkerDrain = (): void => {
    this.#target.resume()
  }

  readonly #onTargetDrain = (): void => {
    this.#worker.resume()
  }

  readonly #onWorkerEnd = (): void => {
    this.#workerEnded = true
    if (this.#stopped) return this.#settle?.('upgrade')
    return endWhenSent(this.#target, this.#onEnded)
  }

  readonly #onTargetEnd = (): void => {
    this.#targetEnded = true
    endWhenSent(this.#worker, this.#onEnded)
  }

  readonly #onEnded = (): void => {
    this.#open -= 1
    if (this.#open === 0) this.#settle?.('ended')
  }

  readonly #onWorkerClose = (): void => this.#onClose(this.#worker)

  readonly #onTargetClose = (): void => this.#onClose(this.#target)

  #onClose(stream: Duplex): void {
    if (stream.readableEnded && stream.writableFinished) return
    this.#fail(stream.errored ?? new Error('a stream closed before its end'))
  }

  readonly #onError = (error: Error): void => this.#fail(error)

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal.reason
    this.#fail(reason instanceof Error ? reason : new Error('aborted'))
  }

  #fail(error: Error): void {
    this.#settle?.(error)
  }
}
