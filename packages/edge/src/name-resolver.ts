import type { StopSignal } from '@hawser/core'
import { lookup } from 'node:dns/promises'
import { dialError, HawserError } from '@hawser/core'

/** All the addresses of a name, in the order they should be tried. Throws `dns_error`, `dns_timeout`, or the signal's reason. */
export type Resolve = (name: string, signal: StopSignal) => Promise<readonly string[]>

/** Asks the system's resolver for all addresses of a name, in its order. Injected in tests. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>

const systemLookup: Lookup = (name) => lookup(name, { all: true, order: 'verbatim' })

/**
 * A resolver with a limit of time. The system's own cannot be called off: after an abort or the limit its answer is
 * dropped.
 *
 * The function it returns throws `dns_error`, `dns_timeout`, or the reason of its signal.
 */
export function createResolver(timeoutMs: number, lookUp: Lookup = systemLookup): Resolve {
  return async (name, signal) => {
    if (signal.aborted) throw signal.reason
    const given = Promise.withResolvers<never>()
    const onAbort = (): void => given.reject(signal.reason)
    const timer = setTimeout(() => {
      given.reject(new HawserError('dns_timeout', `${name}: no answer from the resolver in ${timeoutMs} ms`))
    }, timeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const found = await Promise.race([lookUp(name), given.promise])
      return found.map(({ address }) => address)
    } catch (error) {
      throw dialError(error, name)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}
