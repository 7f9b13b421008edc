import { Duplex } from 'node:stream'
import { IdleTimer } from './idle-timer.ts'

/** What of `net.Socket` is about its options: how long it may be silent, and what has no meaning in a Worker. */
export class TimedDuplex extends Duplex {
  /** Whoever moves bytes refreshes it; whoever ends the connection stops it. */
  readonly _idle: IdleTimer = new IdleTimer(() => this._onTimeout())

  /** Emits `timeout` after so much silence, and does nothing more (S-276). 0 for never. */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    if (this.destroyed) return this
    this._idle.set(timeoutMs)
    if (callback !== undefined) {
      if (timeoutMs === 0) this.off('timeout', callback)
      else this.once('timeout', callback)
    }
    return this
  }

  /** Under this name in Node.js. */
  _onTimeout(): void {
    this.emit('timeout')
  }

  /** Under this name in Node.js: something has happened. */
  _unrefTimer(): void {
    this._idle.refresh()
  }

  setNoDelay(): this {
    return this // the edge and the connector never delay
  }

  setKeepAlive(): this {
    return this // the tunnel has its own
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this // what a Worker's request waits for is its own affair
  }

  /** As it was set; undefined for never. */
  get timeout(): number | undefined {
    return this._idle.timeoutMs === 0 ? undefined : this._idle.timeoutMs
  }
}
