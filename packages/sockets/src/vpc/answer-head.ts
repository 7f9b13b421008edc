import { FlowFailed, readFailure } from './proxy-error.ts'

const END = Buffer.from('\r\n\r\n')
/** Of the edge's answer to a CONNECT, and of the reason in it: it sends a tenth of that. */
const MAX_BYTES = 65_536
const STATUS = /^HTTP\/1\.1 (\d{3}) /
const LENGTH = /\r\ncontent-length: (\d{1,6})\r\n/i

/** Reads the answer to one CONNECT from chunks cut anywhere: a head, and for any but 2xx the edge's reason behind it. */
export class AnswerHead {
  /** Why there is no connection. Undefined until that is known. */
  failure: FlowFailed | undefined
  #held: Buffer = Buffer.alloc(0)

  /** @returns what came behind an answer that the connection stands; undefined for as long as it is not known */
  read(chunk: Uint8Array): Buffer | undefined {
    this.#held = this.#held.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk])
    const end = this.#held.indexOf(END)
    if (end < 0) {
      if (this.#held.length > MAX_BYTES) this.failure = unreadable()
      return undefined
    }
    const head = this.#held.toString('latin1', 0, end + END.length)
    const body = this.#held.subarray(end + END.length)
    const status = STATUS.exec(head)?.[1]
    if (status?.startsWith('2') === true) return body
    const length = Number(LENGTH.exec(head)?.[1] ?? 0)
    if (status === undefined || length > MAX_BYTES) this.failure = unreadable()
    else if (body.length >= length) this.failure = reasonIn(body.toString('utf8', 0, length), status)
    return undefined
  }
}

function reasonIn(text: string, status: string): FlowFailed {
  const message = `the edge answered ${status} and does not say why`
  return new FlowFailed(readFailure(text) ?? { code: 'destination_unavailable', message })
}

function unreadable(): FlowFailed {
  return new FlowFailed({ code: 'edge_unreachable', message: 'what answers there does not speak as an edge does' })
}
