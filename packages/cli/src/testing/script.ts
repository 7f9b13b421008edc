import { AssertionError } from 'node:assert'
import type { Socket } from 'node:net'
import { HawserError, resetStream } from '@hawser/core'
import type { Script, ScriptStep } from './service-handler.ts'

/** More than one expectation ever waits for; a Worker that sends without end fails here. */
const MAX_WAITING_BYTES = 1_048_576
const MAX_SHOWN = 200

/** Each step has one of them. */
const KINDS = ['expect', 'reply', 'end', 'reset'] as const

/** @throws {HawserError} `options_invalid` for what is no step */
export function checkScript(steps: readonly unknown[]): void {
  for (const [at, step] of steps.entries()) {
    const keys = typeof step === 'object' && step !== null ? Object.keys(step) : []
    const [key] = keys
    if (keys.length === 1 && KINDS.some((kind) => kind === key)) continue
    const got = JSON.stringify(step)
    throw new HawserError(
      'options_invalid',
      `serve(): step ${at + 1} must be { expect }, { reply }, { end: true } or { reset: true }, got ${got}`,
    )
  }
}

/** As one would write it in a script. */
function show(bytes: string | Uint8Array | RegExp): string {
  if (bytes instanceof RegExp) return String(bytes)
  const text = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')
  const shown = JSON.stringify(text.slice(0, MAX_SHOWN))
  return text.length > MAX_SHOWN ? `${shown}… (${text.length} bytes)` : shown
}

function bytesOf(text: string | Uint8Array): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text)
}

/**
 * @returns how many bytes of `received` an expectation takes; `more` where it has to see more, `never` where it cannot be met
 */
function taken(expected: string | Uint8Array | RegExp, received: Buffer): number | 'more' | 'never' {
  if (expected instanceof RegExp) {
    const found = new RegExp(expected.source, `${expected.flags.replaceAll(/[gy]/g, '')}y`).exec(
      received.toString('latin1'),
    )
    return found?.[0].length ?? 'more'
  }
  const wanted = bytesOf(expected)
  const length = Math.min(wanted.length, received.length)
  if (wanted.compare(received, 0, length, 0, length) !== 0) return 'never'
  return length === wanted.length ? length : 'more'
}

/** One connection, and how far its script has come. */
class ScriptPlayer {
  readonly #socket: Socket
  readonly #steps: Script
  readonly #onFailed: (error: Error) => void
  readonly #played = Promise.withResolvers<void>()
  #at = 0
  #received: Buffer = Buffer.alloc(0)

  constructor(socket: Socket, steps: Script, onFailed: (error: Error) => void) {
    this.#socket = socket
    this.#steps = steps
    this.#onFailed = onFailed
  }

  play(): Promise<void> {
    this.#socket.on('data', this.#onData)
    this.#socket.once('end', () => this.#onEnd('the end of the connection'))
    this.#socket.once('close', () => this.#onEnd('the connection was gone'))
    this.#advance()
    return this.#played.promise
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = Buffer.concat([this.#received, chunk])
    this.#advance()
    if (this.#received.length > MAX_WAITING_BYTES) this.#fail('bytes that do not match it for too long')
  }

  #onEnd(how: string): void {
    if (this.#at < this.#steps.length) this.#fail(`${show(this.#received)} and then ${how}`)
    else this.#socket.end()
    this.#played.resolve()
  }

  #advance(): void {
    for (let step = this.#steps[this.#at]; step !== undefined; step = this.#steps[this.#at]) {
      if ('expect' in step) {
        const length = taken(step.expect, this.#received)
        if (length === 'never') return this.#fail(show(this.#received))
        if (length === 'more') return
        this.#received = this.#received.subarray(length)
      } else {
        this.#act(step)
      }
      this.#at += 1
    }
    if (this.#received.length > 0) return this.#fail(show(this.#received))
    this.#played.resolve()
  }

  #act(step: Exclude<ScriptStep, { expect: unknown }>): void {
    if ('reply' in step) this.#socket.write(bytesOf(step.reply))
    else if ('end' in step) this.#socket.end()
    else resetStream(this.#socket)
  }

  #fail(got: string): void {
    const step = this.#steps[this.#at]
    const wanted = step === undefined ? 'no more bytes' : 'expect' in step ? show(step.expect) : 'to go on'
    const place = step === undefined ? 'after its last step' : `at step ${this.#at + 1} of ${this.#steps.length}`
    const actual = this.#received.toString('latin1')
    this.#at = this.#steps.length // whatever comes now has no meaning
    this.#received = Buffer.alloc(0)
    resetStream(this.#socket.off('data', this.#onData).resume())
    const message = `script, ${place}: expected ${wanted}, got ${got}`
    this.#onFailed(new AssertionError({ message, actual, expected: wanted, operator: 'script' }))
    this.#played.resolve()
  }
}

/**
 * Plays a script on one connection. Resolves once all steps are done, or cannot be done any more.
 *
 * @param onFailed told at most once, of other bytes than expected, fewer, or any after the last step
 */
export function playScript(socket: Socket, steps: Script, onFailed: (error: Error) => void): Promise<void> {
  return new ScriptPlayer(socket, steps, onFailed).play()
}
