import { TEXT } from './messages.ts'

/** One more than the largest 64-bit number. */
const UINT64 = 2n ** 64n

/**
 * A port as workerd takes it from an object (S-027): text and dates are converted, fractions cut off.
 * @throws {TypeError} for what is no number, negative, or above 65535
 */
export function toPort(value: unknown): number {
  const port = toInteger(value)
  if (port < 0) throw new TypeError(TEXT.negativeNumber)
  if (port > 65_535) throw new TypeError('Value out of range. Must be less than or equal to 65535.')
  return port
}

/**
 * A number of bytes as workerd takes it (S-043).
 * @throws {TypeError} for what is no number, negative, or beyond 64 bits
 */
export function toByteBudget(value: unknown): number {
  if (typeof value === 'bigint') {
    if (value < 0n || value >= UINT64) throw new TypeError(TEXT.truncatedBigint)
    return Number(value)
  }
  const number = numberOf(value)
  if (!Number.isFinite(number)) throw new TypeError(TEXT.notInteger)
  if (number < 0) throw new TypeError(TEXT.negativeBigint)
  if (number > Number(UINT64)) throw new TypeError(`Value out of range. Must be less than or equal to ${UINT64 - 1n}.`)
  return Math.trunc(number)
}

/**
 * The least number of bytes that a BYOB read waits for (S-073).
 * @throws {TypeError} for none at all, and for more than the view can hold
 */
export function toMinimum(value: unknown, size: number): number {
  const number = Number(value)
  const minimum = Number.isFinite(number) ? BigInt.asUintN(64, BigInt(Math.trunc(number))) : 0n
  if (minimum === 0n) throw new TypeError('Requested invalid minimum number of bytes to read (0).')
  if (minimum > BigInt(size)) {
    throw new TypeError(`Minimum bytes to read (${minimum}) exceeds size of buffer (${size}).`)
  }
  return Number(minimum)
}

/** Text as workerd makes it of any value; a symbol is V8's own `TypeError`. */
export function toText(value: unknown): string {
  return `${value as string}`
}

function toInteger(value: unknown): number {
  const number = numberOf(value)
  if (!Number.isFinite(number)) throw new TypeError(TEXT.notInteger)
  // -0.5 counts as negative zero: the sign is looked at after the fraction is gone.
  return Math.trunc(number)
}

/** As the language converts, so that a BigInt or a symbol is V8's own `TypeError`; `Number()` would take the BigInt. */
function numberOf(value: unknown): number {
  return +(value as number)
}
