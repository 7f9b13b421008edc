/** What Redis answers (RESP 2): text, a number, nothing, or a list of these. */
export type Reply = string | number | null | Reply[]

const CR = 13
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A command as Redis wants it: the number of its words, and each with its length in bytes before it. */
export function encodeCommand(words: readonly string[]): Uint8Array {
  const parts = words.map((word) => `$${encoder.encode(word).byteLength}\r\n${word}\r\n`)
  return encoder.encode(`*${words.length}\r\n${parts.join('')}`)
}

/** Reads replies from a stream that cuts them anywhere. */
export class ReplyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #rest = new Uint8Array(0)

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader()
  }

  /** @throws {Error} the text of an error reply; or that the connection has ended within a reply */
  async read(): Promise<Reply> {
    const line = await this.#line()
    const rest = line.slice(1)
    switch (line.charAt(0)) {
      case '+':
        return rest
      case ':':
        return Number(rest)
      case '$':
        return this.#text(Number(rest))
      case '*':
        return this.#list(Number(rest))
      default:
        throw new Error(line.startsWith('-') ? rest : `not Redis: ${line}`)
    }
  }

  async #text(length: number): Promise<string | null> {
    if (length < 0) return null
    const bytes = await this.#take(length + 2)
    return decoder.decode(bytes.subarray(0, length))
  }

  async #list(length: number): Promise<Reply[] | null> {
    if (length < 0) return null
    const replies: Reply[] = []
    while (replies.length < length) replies.push(await this.read())
    return replies
  }

  async #line(): Promise<string> {
    let end = this.#rest.indexOf(CR)
    while (end < 0) {
      await this.#more()
      end = this.#rest.indexOf(CR)
    }
    const bytes = await this.#take(end + 2)
    return decoder.decode(bytes.subarray(0, end))
  }

  async #take(length: number): Promise<Uint8Array> {
    while (this.#rest.byteLength < length) await this.#more()
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#reader.read()
    if (done) throw new Error('Redis has closed the connection')
    const joined = new Uint8Array(this.#rest.byteLength + value.byteLength)
    joined.set(this.#rest)
    joined.set(value, this.#rest.byteLength)
    this.#rest = joined
  }
}
