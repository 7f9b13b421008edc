import type { FlowRecord, SpliceBytes } from '@hawser/core'

/** Lets a splice count straight into a flow's record, so that a flow under way can be read at any time. */
export class FlowBytes implements SpliceBytes {
  readonly #flow: FlowRecord

  constructor(flow: FlowRecord) {
    this.#flow = flow
  }

  get forward(): number {
    return this.#flow.bytesSent
  }

  set forward(bytes: number) {
    this.#flow.bytesSent = bytes
  }

  get backward(): number {
    return this.#flow.bytesReceived
  }

  set backward(bytes: number) {
    this.#flow.bytesReceived = bytes
  }
}
