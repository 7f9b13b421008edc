import type { ListenOptions, Server } from 'node:net'
import { HawserError, systemCode } from '@hawser/core'

/**
 * Listens, or says why not.
 *
 * @param what the address, for the message
 * @throws {HawserError} `listen_failed`
 */
export function listen(server: Server, options: ListenOptions, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      reject(new HawserError('listen_failed', `${what}: ${systemCode(error) ?? error.message}`, { cause: error }))
    }
    server.once('error', onError)
    server.listen(options, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

/** Stops listening; resolves once every connection has gone too. */
export function stopListening(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
