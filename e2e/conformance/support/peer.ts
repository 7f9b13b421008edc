/**
 * The other end of a behaviour's connections, as the behaviour sees it: a handle on a server in the harness's own process.
 * Every call is one HTTP request to the harness, so each is also a round trip of the event loops involved.
 */

/** Which peer a behaviour talks to; peers/scripts.ts says what each does. */
export type PeerName =
  | 'live'
  | 'echo'
  | 'sink'
  | 'paused'
  | 'greet-then-end'
  | 'reset-after-first-byte'
  | 'refuse'
  | 'tls-echo'
  | 'tls-live'
  | 'tls12-live'
  | 'tls-wrong-name'
  | 'tls-expired'
  | 'tls-untrusted'
  | 'tls-self-signed'
  | 'tls-plaintext'
  | 'tls-silent'
  | 'tls-end'
  | 'tls-reset'
  | 'starttls'
  | 'starttls-wrong-name'
  | 'starttls-expired'
  | 'starttls-untrusted'
  | 'starttls-clear'
  | 'starttls-inject'
  | 'starttls-silent'

/** What happened to a connection at the peer's end, in order. */
export interface PeerReport {
  /** `open`, `data` (once, for the first byte), `secure`, `tls-error`, `end`, `reset`, `close`. */
  readonly events: readonly string[]
  /** Bytes received, TLS taken off. */
  readonly bytes: number
  /** The first 64 KiB of them, a character for each byte. */
  readonly text: string
  /** SHA-256 of all of them. */
  readonly sha256: string
  /** Of what came in clear before TLS took over; of everything where it never did. */
  readonly clear: string
  /** The first byte of the handshake, as hexadecimal digits: 16 for TLS. */
  readonly handshake: string
  readonly serverName: string | undefined
  readonly protocol: string | undefined
  /** Protocols that the client offered by ALPN. */
  readonly alpn: readonly string[]
}

export interface PeerPlace {
  readonly id: string
  readonly host: string
  readonly port: number
}

/** Calls the harness: `method` of the peer named `id`. */
export type Ask = (path: string, body: unknown) => Promise<unknown>

/** The commands that the harness takes for one connection; `index` counts connections from 0 in order of arrival. */
export type ConnectionCommand =
  | { readonly do: 'accepted' | 'report' | 'end' | 'end-abruptly' | 'reset' | 'pause' | 'resume' }
  | { readonly do: 'saw'; readonly event: string }
  | { readonly do: 'received'; readonly atLeast: number }
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'send-pattern'; readonly count: number }

export class Peer {
  readonly host: string
  readonly port: number
  readonly #ask: Ask
  readonly #path: string

  constructor(place: PeerPlace, ask: Ask) {
    this.host = place.host
    this.port = place.port
    this.#ask = ask
    this.#path = `/peers/${place.id}`
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** A round trip to the harness and back. */
  async ping(): Promise<void> {
    await this.#ask(`${this.#path}/ping`, {})
  }

  /** How many connections have been accepted so far. */
  async connections(): Promise<number> {
    return (await this.#ask(`${this.#path}/connections`, {})) as number
  }

  /** Waits until the peer has accepted the connection. */
  async accepted(index = 0): Promise<void> {
    await this.#command(index, { do: 'accepted' })
  }

  /** What the peer knows now. */
  report(index = 0): Promise<PeerReport> {
    return this.#command(index, { do: 'report' })
  }

  /** Waits until the peer has received so many bytes; its report then. */
  received(atLeast: number, index = 0): Promise<PeerReport> {
    return this.#command(index, { do: 'received', atLeast })
  }

  /** Waits for one of the events of a report; its report then. */
  saw(event: string, index = 0): Promise<PeerReport> {
    return this.#command(index, { do: 'saw', event })
  }

  async send(text: string, index = 0): Promise<void> {
    await this.#command(index, { do: 'send', text })
  }

  /** Sends `count` bytes of `pattern()`; returns before they are all taken. */
  async sendPattern(count: number, index = 0): Promise<void> {
    await this.#command(index, { do: 'send-pattern', count })
  }

  /** FIN. */
  async end(index = 0): Promise<void> {
    await this.#command(index, { do: 'end' })
  }

  /** FIN without the farewell of TLS: what an attacker who cuts the stream short can do. */
  async endAbruptly(index = 0): Promise<void> {
    await this.#command(index, { do: 'end-abruptly' })
  }

  /** RST. */
  async reset(index = 0): Promise<void> {
    await this.#command(index, { do: 'reset' })
  }

  /** Stops reading; what is on its way fills the buffers in between. */
  async pause(index = 0): Promise<void> {
    await this.#command(index, { do: 'pause' })
  }

  async resume(index = 0): Promise<void> {
    await this.#command(index, { do: 'resume' })
  }

  async #command(index: number, command: ConnectionCommand): Promise<PeerReport> {
    return (await this.#ask(`${this.#path}/connections/${index}`, command)) as PeerReport
  }
}
