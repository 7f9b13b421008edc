/** Results kept by one {@link remember}: a connector serves few targets, and whoever sends many must not fill its memory. */
const MAX_RESULTS = 1_024

/**
 * Makes a function of a text that computes each result once, for functions that depend on nothing else. What throws is not
 * remembered; beyond {@link MAX_RESULTS} the oldest result goes.
 */
export function remember<Result>(compute: (text: string) => Result): (text: string) => Result {
  const results = new Map<string, Result>()
  return (text) => {
    const known = results.get(text)
    if (known !== undefined || results.has(text)) return known as Result
    const result = compute(text)
    if (results.size >= MAX_RESULTS) results.delete(results.keys().next().value as string)
    results.set(text, result)
    return result
  }
}
