import type { Socket as NodeSocket } from 'node:net'
import type { Carrier } from '../route.ts'
import type { Wire, WireEvents } from '../wire.ts'
import { AnswerHead } from './answer-head.ts'
import type { EdgeLink } from './edge-link.ts'
import { linkFailed } from './proxy-error.ts'

/**
 * One connection through the edge: a connection to the edge, and the CONNECT that leads on from there. To whoever holds it
 * it looks as a direct one does, from the answer on.
 */
export class EdgeWire implements Carrier, WireEvents {
  readonly #link: EdgeLink
  readonly #request: string
  readonly #wire: Wire
  #events: WireEvents | undefined
  /** Until the edge has answered. */
  #answer: AnswerHead | undefined = new AnswerHead()

  /** @param request the head to send behind the hello; what answers it with 2xx is the connection */
  constructor(link: EdgeLink, request: string, events: WireEvents) {
    this.#link = link
    this.#request = request
    this.#events = events
    this.#wire = link.dial(this)
  }

  get stream(): NodeSocket {
    return this.#wire.stream
  }

  /** Tells somebody else from here on what arrives. */
  handOver(events: WireEvents): void {
    this.#events = events
  }

  release(): NodeSocket {
    this.#events = undefined
    this.#wire.release()
    return this.stream
  }

  destroy(unread: boolean): void {
    this.#events = undefined
    // TLS to the edge would end both ways as if all had been read.
    if (unread) this.#wire.reset()
    else this.#wire.destroy(false)
  }

  reset(): void {
    this.#events = undefined
    this.#wire.reset()
  }

  wireOpened(): void {
    const { stream } = this
    stream.write(this.#link.helloOn(stream) + this.#request)
    stream.resume()
  }

  wireReceived(chunk: Uint8Array): void {
    if (this.#answer === undefined) this.#events?.wireReceived(chunk)
    else this.#readAnswer(this.#answer, chunk)
  }

  wireEnded(): void {
    if (this.#answer === undefined) this.#events?.wireEnded()
    else this.#fail(this.#answer.failure ?? new Error('the edge ended the connection before it answered'))
  }

  wireFailed(cause: Error): void {
    this.#events?.wireFailed(linkFailed(this.#link.edge, cause))
  }

  wireLost(cause: Error): void {
    if (this.#answer === undefined) this.#events?.wireLost(cause)
    else this.#fail(this.#answer.failure ?? cause)
  }

  #readAnswer(answer: AnswerHead, chunk: Uint8Array): void {
    const rest = answer.read(chunk)
    if (answer.failure !== undefined) return this.#fail(answer.failure)
    if (rest === undefined) return
    this.#answer = undefined
    this.stream.pause()
    this.#events?.wireOpened()
    if (rest.length > 0) this.#events?.wireReceived(rest)
  }

  #fail(cause: Error): void {
    const events = this.#events
    this.#events = undefined
    this.#wire.destroy(false)
    events?.wireFailed(linkFailed(this.#link.edge, cause))
  }
}
