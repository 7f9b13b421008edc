import { randomFillSync } from 'node:crypto'

/** Crockford's: no letter that reads like a digit, and sorted as its values are. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** 45 bits of milliseconds last beyond the year 3000. */
const TIME_DIGITS = 9
const RANDOM_PAIRS = 5

/** All texts of two digits: ids are made for every call, and this halves the work. */
const PAIRS: readonly string[] = Array.from(ALPHABET, (a) => Array.from(ALPHABET, (b) => a + b)).flat()

/** One call to the system's generator for some hundred ids. */
const pool = new Uint16Array(1024)
let used = pool.length
let lastTime = -1
let lastText = ''

function timeText(now: number): string {
  if (now === lastTime) return lastText
  let text = ''
  for (let left = now, digit = 0; digit < TIME_DIGITS; digit += 1) {
    text = ALPHABET.charAt(left % 32) + text
    left = Math.floor(left / 32)
  }
  lastTime = now
  lastText = text
  return text
}

/**
 * A new flow id: 19 characters, milliseconds then 50 random bits, so that ids sort by time and two edges do not meet.
 *
 * @param now whole milliseconds since the epoch
 */
export function newFlowId(now: number): string {
  if (used + RANDOM_PAIRS > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let id = timeText(now)
  for (let pair = 0; pair < RANDOM_PAIRS; pair += 1) id += PAIRS[(pool[used + pair] ?? 0) & 1023] ?? ''
  used += RANDOM_PAIRS
  return id
}
