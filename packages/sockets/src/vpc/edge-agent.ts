import { Agent } from 'node:http'
import type { AgentOptions, ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { EdgeLink } from './edge-link.ts'
import { linkFailed } from './proxy-error.ts'

/** Idle connections are kept this long: a little less than targets usually keep theirs. */
const IDLE_MS = 15_000
const OPTIONS: AgentOptions = { keepAlive: true, maxFreeSockets: 64, timeout: IDLE_MS }

/** Connections to an edge for requests: they have said their hello, and none is of another client or target. */
export class EdgeAgent extends Agent {
  readonly #link: EdgeLink

  constructor(link: EdgeLink) {
    super(OPTIONS)
    this.#link = link
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as (error: Error | null, stream?: Duplex) => void
    const link = this.#link
    const wire = link.dial({
      wireOpened: () => {
        const { stream } = wire
        stream.write(link.helloOn(stream))
        stream.resume() // nothing comes before the first request has left
        done(null, stream)
      },
      wireFailed: (cause) => done(linkFailed(link.edge, cause)),
      // From here on Node's HTTP client listens.
      wireReceived: () => {},
      wireEnded: () => {},
      wireLost: () => {},
    })
    return undefined
  }
}
