import type { Socket as NodeSocket } from 'node:net'
import type { Carrier } from '../route.ts'
import type { WireEvents } from '../wire.ts'
import type { EdgeLink } from './edge-link.ts'
import { EdgeWire } from './edge-wire.ts'
import { FlowFailed } from './proxy-error.ts'

/** What an upgrade sends, besides the hellos. */
export interface UpgradeRequests {
  /** Asks the edge to get ready; answered by 204. */
  readonly mark: string
  /** The connection that is to carry on; answered once the target has proved who it is. */
  readonly successor: string
}

/**
 * `startTls()` through an edge, which speaks the TLS. The edge marks the connection and ends what it sends in clear; that is
 * read to its end here, and a single byte of it fails the upgrade, for nobody has read what may be anybody's words (S-167).
 * Then this side ends too, which is the go-ahead, and a second connection carries on.
 */
export class EdgeUpgrade implements Carrier, WireEvents {
  readonly #old: EdgeWire
  readonly #next: EdgeWire
  readonly #mark: EdgeWire
  #events: WireEvents | undefined

  constructor(link: EdgeLink, old: EdgeWire, requests: UpgradeRequests, events: WireEvents) {
    this.#old = old
    this.#events = events
    this.#next = new EdgeWire(link, requests.successor, this)
    this.#mark = new EdgeWire(link, requests.mark, {
      ...NOTHING,
      wireOpened: () => {
        this.#mark.destroy(false)
        old.stream.resume()
      },
      wireFailed: (cause) => this.#fail(cause),
    })
    old.handOver({
      ...NOTHING,
      wireReceived: () => this.#fail(failed('the target sent bytes in clear that were not read before the handshake')),
      wireEnded: () => {
        old.handOver(NOTHING) // ended both ways it closes, which is no loss
        old.stream.end()
      },
      wireLost: (cause) => this.#fail(cause),
    })
  }

  get stream(): NodeSocket {
    return this.#next.stream
  }

  release(): NodeSocket {
    this.#drop()
    return this.#next.release()
  }

  destroy(unread: boolean): void {
    this.#drop()
    this.#next.destroy(unread)
  }

  reset(): void {
    this.#drop()
    this.#next.reset()
  }

  wireOpened(): void {
    this.#old.destroy(false) // has ended both ways
    this.#events?.wireOpened()
  }

  wireReceived(chunk: Uint8Array): void {
    this.#events?.wireReceived(chunk)
  }

  wireEnded(): void {
    this.#events?.wireEnded()
  }

  wireFailed(cause: unknown): void {
    this.#fail(cause)
  }

  wireLost(cause: Error): void {
    this.#events?.wireLost(cause)
  }

  #drop(): void {
    this.#events = undefined
    this.#mark.reset()
    this.#old.reset()
  }

  /** Of several failures the edge's own word about the upgrade counts: it comes to the successor, and ends all the rest. */
  #fail(cause: unknown): void {
    const events = this.#events
    this.reset()
    events?.wireFailed(cause instanceof Error ? cause : failed(String(cause)))
  }
}

const NOTHING: WireEvents = {
  wireOpened: () => {},
  wireFailed: () => {},
  wireReceived: () => {},
  wireEnded: () => {},
  wireLost: () => {},
}

function failed(message: string): FlowFailed {
  return new FlowFailed({ code: 'tls_protocol_error', message })
}
