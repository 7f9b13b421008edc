/** The few assertions the behaviours need, on web standards alone: `node:assert` is not the same thing in every host. */

/** What an error should be like. Only the fields given are looked at. */
export interface ExpectedError {
  /** The name of its class, such as `TypeError`. */
  readonly name?: string
  readonly message?: string | RegExp
}

export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}

/** One line of text for any value: what a failed assertion shows. */
export function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (typeof value === 'function') return `[function ${value.name}]`
  if (typeof value === 'bigint' || typeof value === 'symbol' || value === undefined) return String(value)
  if (value instanceof Uint8Array) return `Uint8Array(${value.byteLength}) ${show(new TextDecoder().decode(value))}`
  const text = JSON.stringify(value, (_key, inner: unknown) => (inner === undefined ? 'undefined' : inner))
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

function fail(what: string, actual: unknown, expected: unknown): never {
  throw new AssertionFailed(`${what === '' ? '' : `${what}: `}got ${show(actual)}, expected ${show(expected)}`)
}

export function ok(value: unknown, what: string): asserts value {
  if (value === false || value === undefined || value === null) throw new AssertionFailed(what)
}

export function equal(actual: unknown, expected: unknown, what = ''): void {
  if (!Object.is(actual, expected)) fail(what, actual, expected)
}

function same(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length || Array.isArray(left) !== Array.isArray(right)) return false
  const [a, b] = [left as Record<string, unknown>, right as Record<string, unknown>]
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
}

/** For plain objects, arrays and values. */
export function deepEqual(actual: unknown, expected: unknown, what = ''): void {
  if (!same(actual, expected)) fail(what, actual, expected)
}

function matches(message: string, expected: string | RegExp): boolean {
  return typeof expected === 'string' ? message === expected : expected.test(message)
}

/** Checks a thrown or rejected value; returns it as an Error. */
function checkError(error: unknown, expected: ExpectedError, what: string): Error {
  const prefix = what === '' ? '' : `${what}: `
  // By shape: an error that crossed from another realm is no instance of this one's Error.
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    throw new AssertionFailed(`${prefix}got ${show(error)}, expected an error`)
  }
  const { name, message } = error as Error
  if (expected.name !== undefined && name !== expected.name) {
    throw new AssertionFailed(`${prefix}got ${name}: ${message}, expected a ${expected.name}`)
  }
  if (expected.message !== undefined && !matches(message, expected.message)) {
    throw new AssertionFailed(`${prefix}got ${name}: ${message}, expected the message ${String(expected.message)}`)
  }
  return error as Error
}

export function throws(run: () => unknown, expected: ExpectedError, what = ''): Error {
  let value: unknown
  try {
    value = run()
  } catch (error) {
    return checkError(error, expected, what)
  }
  throw new AssertionFailed(`${what === '' ? '' : `${what}: `}nothing was thrown, but ${show(value)} returned`)
}

export async function rejects(promise: Promise<unknown>, expected: ExpectedError, what = ''): Promise<Error> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return checkError(error, expected, what)
  }
  throw new AssertionFailed(`${what === '' ? '' : `${what}: `}resolved with ${show(value)}, expected a rejection`)
}
