import type { HawserError } from '@hawser/core'
import type { Configuration, ConnectorConnection, ConnectorReport, TargetHealth } from '@hawser/tunnel'

/** For tests: a connection that does nothing but count streams and close. */
export class FakeConnection implements ConnectorConnection {
  readonly id: string
  readonly tunnelId: string
  readonly connector: ConnectorConnection['connector']
  readonly remoteAddress = '192.0.2.1:4'
  readonly openedAt = 0
  weight = 100
  activeStreams = 0
  roundTripMs = 1
  accepting = true
  silent = false
  report: ConnectorReport | undefined
  failing: readonly TargetHealth[] = []
  readonly configured: Configuration[] = []
  left = 0
  aborted: HawserError | undefined
  readonly #closing = Promise.withResolvers<HawserError | undefined>()
  readonly closed: Promise<HawserError | undefined> = this.#closing.promise

  constructor(id: string, facts: { tunnelId?: string; connectorId?: string } & Partial<FakeConnection> = {}) {
    const { tunnelId = 't1', connectorId = 'c1', ...rest } = facts
    this.id = id
    this.tunnelId = tunnelId
    this.connector = { id: connectorId, version: '1', hostname: 'h', platform: 'p' }
    Object.assign(this, rest)
  }

  dial(): Promise<never> {
    return Promise.reject(new Error('unused'))
  }

  answers(): Promise<boolean> {
    return Promise.resolve(!this.silent)
  }

  configure(configuration: Configuration): void {
    this.configured.push(configuration)
  }

  leave(): void {
    this.left += 1
  }

  drain(): Promise<void> {
    return this.close()
  }

  close(): Promise<void> {
    this.#closing.resolve(undefined)
    return Promise.resolve()
  }

  abort(reason: HawserError): void {
    this.aborted = reason
    this.#closing.resolve(reason)
  }

  disconnect(reason: HawserError): void {
    this.abort(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
