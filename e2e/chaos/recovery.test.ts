import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recoveriesOf, summarise } from './recovery.ts'
import type { Probe } from './recovery.ts'

const good = (startedMs: number, endedMs: number): Probe => ({ startedMs, endedMs, ok: true })
const bad = (startedMs: number, endedMs: number): Probe => ({ startedMs, endedMs, ok: false, code: 'tunnel_closed' })
const back = { atMs: 1_000, reachable: true, why: 'it came back' }

test('the first success of a probe that was begun afterwards counts', () => {
  const probes = [good(900, 1_050), bad(1_050, 1_100), good(1_100, 1_900), good(1_200, 1_300)]
  assert.deepEqual(recoveriesOf([back], probes, 9_000), [{ why: 'it came back', atMs: 1_000, tookMs: 300 }])
})

test('without any success it took as long as there was', () => {
  assert.deepEqual(recoveriesOf([back], [bad(1_100, 1_200)], 9_000), [{ ...recovery(8_000) }])
  const lost = { atMs: 5_000, reachable: false, why: 'it went' }
  assert.deepEqual(recoveriesOf([back, lost], [good(4_900, 5_100)], 9_000), [recovery(4_000)])
})

test('a success after it was lost again is none', () => {
  const lost = { atMs: 4_000, reachable: false, why: 'it went' }
  assert.deepEqual(recoveriesOf([back, lost], [good(4_500, 4_600)], 9_000), [recovery(3_000)])
})

test('a moment of reach that was too short to be used says nothing', () => {
  const lost = { atMs: 1_500, reachable: false, why: 'it went' }
  assert.deepEqual(recoveriesOf([back, lost], [bad(1_100, 1_200)], 9_000), [])
})

test('each change while something stays reachable is asked about', () => {
  const still = { atMs: 2_000, reachable: true, why: 'another one fell' }
  const probes = [good(1_000, 1_010), good(2_500, 2_700)]
  assert.deepEqual(
    recoveriesOf([back, still], probes, 9_000).map(({ tookMs }) => tookMs),
    [10, 700],
  )
})

test('the longest and the middle one', () => {
  assert.deepEqual(summarise([recovery(5), recovery(100.4), recovery(7)]), { maxMs: 100, medianMs: 7 })
  assert.deepEqual(summarise([]), { maxMs: 0, medianMs: 0 })
})

function recovery(tookMs: number): { why: string; atMs: number; tookMs: number } {
  return { why: 'it came back', atMs: 1_000, tookMs }
}
