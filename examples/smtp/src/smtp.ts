/** One end of an SMTP session (RFC 5321): commands out, replies in. */
export class SmtpSession {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #decoder = new TextDecoder()
  readonly #encoder = new TextEncoder()
  #rest = ''

  constructor({ readable, writable }: Socket) {
    this.#reader = readable.getReader()
    this.#writer = writable.getWriter()
  }

  /** @throws {Error} for any other code than `expected` */
  async command(line: string, expected: number): Promise<string> {
    await this.#writer.write(this.#encoder.encode(`${line}\r\n`))
    return this.expect(expected)
  }

  /** Reads one reply, of however many lines: all but the last have a `-` after the code. */
  async expect(code: number): Promise<string> {
    for (;;) {
      const end = /^\d{3}(?: .*)?\r\n/m.exec(this.#rest)
      if (end !== null) {
        const reply = this.#rest.slice(0, end.index + end[0].length)
        this.#rest = this.#rest.slice(reply.length)
        if (!end[0].startsWith(String(code))) throw new Error(`expected ${code}, the mail server says ${reply.trim()}`)
        return reply
      }
      const { value, done } = await this.#reader.read()
      if (done) throw new Error('the mail server has closed the connection')
      this.#rest += this.#decoder.decode(value, { stream: true })
    }
  }

  /**
   * Lets go of the socket, for TLS to take over.
   *
   * @throws {Error} if something has come in clear that belongs to nobody: whoever sent it wants it taken for an answer in TLS
   */
  release(): void {
    if (this.#rest !== '') throw new Error('the mail server talks on in clear')
    this.#reader.releaseLock()
    this.#writer.releaseLock()
  }
}
