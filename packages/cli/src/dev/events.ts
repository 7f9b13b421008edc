import type { FlowOutcome } from '@hawser/core'

/** Least important last. */
export type LogEventLevel = 'error' | 'warn' | 'info' | 'debug'

/** One thing that happened, as `hawser dev --json` prints it: a line each. Times are whole milliseconds. */
export type DevEvent =
  | { readonly event: 'ready'; readonly url: string; readonly ms: number; readonly inspector?: string | undefined }
  /** Files of the Worker's changed and the new version is served, on the same URL. */
  | { readonly event: 'reload'; readonly url: string; readonly ms: number; readonly changed: readonly string[] }
  /** A change could not be served; `serving` tells whether the version before it still is. */
  | {
      readonly event: 'error'
      readonly code: string
      readonly message: string
      readonly serving: boolean
      readonly advice?: string | undefined
    }
  | {
      readonly event: 'request'
      readonly method: string
      readonly path: string
      /** Undefined where no answer came. */
      readonly status?: number | undefined
      /** `ok`: answered, whatever the status. `aborted`: given up by the client. `error`: cut off, by a reload for one. */
      readonly outcome: FlowOutcome
      readonly ms: number
    }
  | FlowEvent
  /** What production does otherwise, and what to write where; `rule` is what was broken. Said once for each target. */
  | { readonly event: 'advice'; readonly rule: string; readonly binding: string; readonly message: string }
  /** What the Worker wrote to its console (`source: "worker"`), and what others have to say. */
  | { readonly event: 'log'; readonly level: LogEventLevel; readonly source: string; readonly message: string }

/** A call of the Worker's that left it, once it is over. */
export interface FlowEvent {
  readonly event: 'flow'
  readonly id: string
  /** Which one called, where several run side by side. */
  readonly worker?: string | undefined
  readonly binding: string
  readonly kind: 'connect' | 'fetch'
  /** As the Worker wrote it. */
  readonly requested: string
  /** What answered, `ip:port`. */
  readonly remoteAddress?: string | undefined
  readonly outcome: FlowOutcome
  /** Of an HTTP answer. */
  readonly status?: number | undefined
  readonly code?: string | undefined
  readonly message?: string | undefined
  readonly rule?: string | undefined
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly ms: number
}
