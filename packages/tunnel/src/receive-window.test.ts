import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { INITIAL_WINDOW_BYTES } from './frame.ts'
import { MAX_WINDOW_BYTES, ReceiveWindow, SESSION_GROWTH_BYTES } from './receive-window.ts'
import type { WindowPool } from './receive-window.ts'

function pool(roundTripMs = 0): WindowPool {
  return { growthLeft: SESSION_GROWTH_BYTES, roundTripMs }
}

/** Spends and consumes everything, over and over, as a transfer whose reader keeps up. */
function transfer(window: ReceiveWindow, bytes: number): void {
  for (let left = bytes; left > 0;) {
    const part = Math.min(left, window.credit, 16_384)
    window.spend(part)
    window.grant(0)
    left -= part
  }
}

describe('ReceiveWindow', () => {
  test('begins with the credit both sides take for granted', () => {
    assert.equal(new ReceiveWindow(pool()).credit, INITIAL_WINDOW_BYTES)
  })

  test('against a model: credit and buffered bytes never exceed the window, and credit comes in steps of half of it', () => {
    const step = fc.record({ receive: fc.nat(), consume: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const window = new ReceiveWindow(pool())
        let peerCredit = INITIAL_WINDOW_BYTES
        let buffered = 0
        for (const { receive, consume } of steps) {
          const received = receive % (peerCredit + 1)
          window.spend(received)
          peerCredit -= received
          buffered += received
          buffered -= consume % (buffered + 1)
          const granted = window.grant(buffered)
          peerCredit += granted
          assert.ok(granted === 0 || granted >= INITIAL_WINDOW_BYTES / 2)
          assert.equal(window.credit, peerCredit)
          assert.ok(peerCredit + buffered <= INITIAL_WINDOW_BYTES)
          assert.ok(granted > 0 || INITIAL_WINDOW_BYTES - peerCredit - buffered < INITIAL_WINDOW_BYTES / 2)
        }
      }),
    )
  })

  test('grants nothing for bytes that have arrived and are not consumed', () => {
    const window = new ReceiveWindow(pool())
    window.spend(INITIAL_WINDOW_BYTES)
    assert.equal(window.grant(INITIAL_WINDOW_BYTES), 0)
    assert.equal(window.grant(INITIAL_WINDOW_BYTES / 2 + 1), 0)
    assert.equal(window.grant(INITIAL_WINDOW_BYTES / 2), INITIAL_WINDOW_BYTES / 2)
  })

  test('does not grow while the round trip is unknown', () => {
    const window = new ReceiveWindow(pool(0))
    transfer(window, 64 * 1024 * 1024)
    assert.equal(window.size, INITIAL_WINDOW_BYTES)
  })

  test('does not grow where half a window lasts longer than two round trips', (t) => {
    let now = 1_000_000
    t.mock.method(performance, 'now', () => (now += 100))
    const window = new ReceiveWindow(pool(20))
    transfer(window, 4 * 1024 * 1024)
    assert.equal(window.size, INITIAL_WINDOW_BYTES)
  })

  test('grows up to its limit where the window is what limits the transfer', (t) => {
    let now = 1_000_000
    t.mock.method(performance, 'now', () => (now += 10))
    const shared = pool(20)
    const window = new ReceiveWindow(shared)
    transfer(window, 64 * 1024 * 1024)
    assert.equal(window.size, MAX_WINDOW_BYTES)
    assert.equal(shared.growthLeft, SESSION_GROWTH_BYTES - (MAX_WINDOW_BYTES - INITIAL_WINDOW_BYTES))
    window.release()
    assert.equal(shared.growthLeft, SESSION_GROWTH_BYTES)
  })

  test('all windows of a session together grow by no more than the session has', (t) => {
    let now = 1_000_000
    t.mock.method(performance, 'now', () => (now += 1))
    const shared = pool(1_000)
    const windows = Array.from({ length: 100 }, () => new ReceiveWindow(shared))
    for (const window of windows) transfer(window, 32 * 1024 * 1024)
    const grown = windows.reduce((sum, { size }) => sum + size - INITIAL_WINDOW_BYTES, 0)
    assert.equal(grown + shared.growthLeft, SESSION_GROWTH_BYTES)
    assert.ok(shared.growthLeft >= 0)
    for (const window of windows) window.release()
    assert.equal(shared.growthLeft, SESSION_GROWTH_BYTES)
  })

  test('gives back only once', () => {
    const shared = pool(1_000)
    const window = new ReceiveWindow(shared)
    transfer(window, 8 * 1024 * 1024)
    window.release()
    window.release()
    assert.equal(shared.growthLeft, SESSION_GROWTH_BYTES)
  })
})
