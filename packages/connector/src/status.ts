import type { HawserError } from '@hawser/core'

/**
 * One change in the life of a connector. `connection` counts from 0 among its connections, `edge` is the address that one
 * tries or has, as `host:port`, and `edgeId` is what the edge calls itself.
 */
export type ConnectorStatus =
  | { readonly type: 'connecting'; readonly edge: string; readonly connection: number; readonly attempt: number }
  | { readonly type: 'connected'; readonly edge: string; readonly connection: number; readonly edgeId: string }
  | {
      readonly type: 'disconnected'
      readonly edge: string
      readonly connection: number
      /** Undefined where the edge ended the connection in good order. */
      readonly error: HawserError | undefined
      /** Until the next attempt. */
      readonly retryInMs: number
    }
  | { readonly type: 'draining'; readonly activeStreams: number }
  | { readonly type: 'closed'; readonly error: HawserError | undefined }

/** Changes kept for a reader that does not keep up; the oldest go first. */
const MAX_UNREAD = 256

interface Reader {
  readonly unread: ConnectorStatus[]
  wake: () => void
}

/** Hands every change to every reader, each at its own pace. */
export class StatusFeed {
  readonly #present = new Map<string | number, ConnectorStatus>()
  readonly #readers = new Set<Reader>()
  #closed: ConnectorStatus | undefined

  /** How things stand: the last change of each connection, and of the connector as a whole. */
  present(): readonly ConnectorStatus[] {
    return this.#closed === undefined ? [...this.#present.values()] : [...this.#present.values(), this.#closed]
  }

  /** Nothing follows a `closed`. */
  publish(status: ConnectorStatus): void {
    if (this.#closed !== undefined) return
    if (status.type === 'closed') this.#closed = status
    else this.#present.set('connection' in status ? status.connection : status.type, status)
    for (const reader of this.#readers) {
      if (reader.unread.push(status) > MAX_UNREAD) reader.unread.shift()
      reader.wake()
    }
  }

  /** First how things stand, then every change, until `closed`. */
  async *follow(): AsyncGenerator<ConnectorStatus, void, void> {
    const unread = [...this.present()]
    const reader: Reader = { unread, wake: () => {} }
    this.#readers.add(reader)
    try {
      for (;;) {
        const status = unread.shift()
        if (status === undefined) {
          await new Promise<void>((resolve) => {
            reader.wake = resolve
          })
          continue
        }
        yield status
        if (status.type === 'closed') return
      }
    } finally {
      this.#readers.delete(reader)
    }
  }
}
