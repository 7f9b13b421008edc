import type { HawserError } from '@hawser/core'
import { formatHostPort } from '@hawser/core'
import type { connectTunnel, ConnectorReport, TunnelConnection } from '@hawser/tunnel'

type ConnectOptions = Parameters<typeof connectTunnel>[0]

/** A tunnel connection for tests: it ends when the test says so. */
export class FakeTunnel implements TunnelConnection {
  readonly edgeId: string
  activeStreams = 0
  readonly closed: Promise<HawserError | undefined>
  /** What was asked of it, in order: `drain`, `close 30000`, `abort tunnel_closed`. */
  readonly calls: string[] = []
  readonly leaving: Promise<void>
  readonly reports: ConnectorReport[] = []
  readonly #ended = Promise.withResolvers<HawserError | undefined>()
  readonly #left = Promise.withResolvers<void>()

  constructor(edgeId: string) {
    this.edgeId = edgeId
    this.closed = this.#ended.promise
    this.leaving = this.#left.promise
  }

  end(error?: HawserError): void {
    this.#ended.resolve(error)
  }

  /** The edge says that it is about to go. */
  leave(): void {
    this.#left.resolve()
  }

  report(report: ConnectorReport): void {
    this.reports.push(report)
  }

  async drain(): Promise<void> {
    this.calls.push('drain')
  }

  async close(graceMs?: number): Promise<void> {
    this.calls.push(`close ${graceMs}`)
    this.end()
  }

  abort(reason: HawserError): void {
    this.calls.push(`abort ${reason.code}`)
    this.end(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Edges for tests: each address answers as its script says, attempt by attempt; the last answer repeats. */
export class FakeEdges {
  readonly opened: FakeTunnel[] = []
  readonly attempts: string[] = []
  /** What the last attempt came with. */
  last: ConnectOptions | undefined
  readonly #script: Readonly<Record<string, readonly (HawserError | 'accept' | 'hang')[]>>

  constructor(script: Readonly<Record<string, readonly (HawserError | 'accept' | 'hang')[]>> = {}) {
    this.#script = script
  }

  readonly connectTunnel: typeof connectTunnel = async (options) => {
    this.last = options
    const edge = formatHostPort(options.edge)
    const answers = this.#script[edge] ?? ['accept']
    const done = this.attempts.filter((address) => address === edge).length
    this.attempts.push(edge)
    const answer = answers[Math.min(done, answers.length - 1)]
    if (answer === 'hang') {
      await new Promise((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(new Error('given up')), { once: true })
      })
    }
    if (answer !== 'accept') throw answer
    const tunnel = new FakeTunnel(`id-of-${edge}`)
    this.opened.push(tunnel)
    return tunnel
  }
}
