import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** What goes between the connector and a server, looked at on its way. */
export interface Wire extends AsyncDisposable {
  readonly port: number
  /** Whether the text has passed in clear, towards the server or from it. */
  readonly seen: boolean
  /** Resolves once no connection is open. */
  idle(signal: AbortSignal): Promise<void>
  /** From now on leads to this port of this machine, and has seen nothing. */
  leadTo(serverPort: number): void
}

/** Finds a text in a stream however it is cut. */
function finder(text: string, onFound: () => void): (chunk: Buffer) => void {
  let tail = Buffer.alloc(0)
  return (chunk) => {
    const joined = Buffer.concat([tail, chunk.subarray(0, text.length)])
    if (joined.includes(text) || chunk.includes(text)) onFound()
    tail = Buffer.concat([tail, chunk]).subarray(-(text.length - 1))
  }
}

class RecordingWire implements Wire {
  seen = false
  readonly #open = new Set<Socket>()
  readonly #server = createServer({ allowHalfOpen: true })
  #target = 0
  #waiting: (() => void)[] = []

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(marker: string): Promise<void> {
    const found = (): void => {
      this.seen = true
    }
    this.#server.on('connection', (near) => {
      const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true })
      this.#join(near, far, finder(marker, found))
      this.#join(far, near, finder(marker, found))
    })
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  leadTo(serverPort: number): void {
    this.#target = serverPort
    this.seen = false
  }

  async idle(signal: AbortSignal): Promise<void> {
    while (this.#open.size > 0) {
      const closed = new Promise<void>((resolve) => this.#waiting.push(resolve))
      const late = Promise.withResolvers<void>()
      const onAbort = (): void => late.reject(new Error(`${Math.ceil(this.#open.size / 2)} connections stay open`))
      if (signal.aborted) onAbort()
      signal.addEventListener('abort', onAbort)
      try {
        await Promise.race([closed, late.promise])
      } finally {
        signal.removeEventListener('abort', onAbort)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** An end is passed on as an end, a reset as a reset: what the driver sees must be what the server did. */
  #join(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
    this.#open.add(from)
    from.setNoDelay()
    from.on('data', look)
    from.pipe(to)
    from.on('error', () => to.resetAndDestroy())
    from.once('close', () => {
      if (!to.destroyed && !from.readableEnded) to.destroy()
      this.#open.delete(from)
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    })
  }
}

/** A way to a server on this machine that notices `marker`. */
export async function startWire(marker: string): Promise<Wire> {
  const wire = new RecordingWire()
  await wire.listen(marker)
  return wire
}
