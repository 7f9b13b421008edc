import { Socket } from 'node:net'
import type { OnReadOpts, SocketConstructorOpts } from 'node:net'
import { DuplexChannel } from './duplex-channel.ts'
import type { Channel } from './channel.ts'

/** What the kernel is asked for at once; also what Node itself asks for. */
const READ_BYTES = 64 * 1024

/**
 * Where all sockets read that have little to say. Node by itself makes 64 KiB for every read and cuts off what was not
 * needed, which is an eighth of a connector's work where connections are short, and garbage that has to be swept.
 */
const SHARED = Buffer.allocUnsafeSlow(READ_BYTES)

/** The buffers of one socket: the shared one, of which all is copied, or its own while it fills whole ones. */
class Reading implements OnReadOpts {
  deliver: ((chunk: Buffer) => void) | undefined
  #next: Buffer = SHARED

  readonly buffer = (): Buffer => this.#next

  readonly callback = (bytes: number): boolean => {
    const read = this.#next
    const fills = bytes * 2 > READ_BYTES
    this.#next = fills ? Buffer.allocUnsafeSlow(READ_BYTES) : SHARED
    const chunk = read.subarray(0, bytes)
    this.deliver?.(read === SHARED ? Buffer.from(chunk) : chunk)
    return true // a pause stops reading by itself
  }
}

/** The channel of a {@link DirectSocket}. */
class DirectChannel extends DuplexChannel {
  readonly #socket: Socket

  constructor(socket: Socket, reading: Reading) {
    super(socket)
    this.#socket = socket
    reading.deliver = (chunk) => this.deliver(chunk)
  }

  override resume(): void {
    this.#socket.resume()
  }
}

/**
 * A socket that hands what it reads to its {@link channel}, past the machinery of `node:stream`; as a Duplex it only writes.
 * Half-open is allowed. It does not read before the channel is resumed.
 */
export class DirectSocket extends Socket {
  readonly channel: Channel

  constructor(options: SocketConstructorOpts = {}) {
    const reading = new Reading()
    super({ ...options, allowHalfOpen: true, onread: reading })
    this.channel = new DirectChannel(this, reading)
    this.pause()
  }
}
