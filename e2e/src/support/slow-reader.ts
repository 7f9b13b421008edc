import type { Socket } from 'node:net'
import type { VpcBinding } from '../../../packages/sockets/src/index.ts'

const CHUNK = Buffer.alloc(65_536, 7)

/** What a target has handed to the kernel for the connections of either kind. */
export interface SentBytes {
  stalled: number
  flowing: number
}

/**
 * Serves {@link readBeside}: the first byte of a connection says who is there, and then bytes come for as long as they are
 * taken, or as many as were asked for.
 */
export function serveBytes(socket: Socket, sent: SentBytes): void {
  socket.once('data', (request: Buffer) => {
    const [kind = '', count = ''] = request.toString('latin1').split(' ')
    let left = kind === 's' ? Number.POSITIVE_INFINITY : Number(count)
    const send = (): void => {
      for (let more = true; more && left > 0 && !socket.destroyed;) {
        const bytes = Math.min(left, CHUNK.length)
        more = socket.write(bytes === CHUNK.length ? CHUNK : CHUNK.subarray(0, bytes))
        left -= bytes
        if (kind === 's') sent.stalled += bytes
        else sent.flowing += bytes
      }
      if (left === 0) socket.end()
    }
    socket.on('drain', send)
    send()
  })
}

export interface ReadResult {
  /** Bytes that each flow has read to its end. */
  readonly bytes: readonly number[]
  /** From the first request to the last byte, in milliseconds. */
  readonly elapsedMs: number
}

/**
 * Reads `bytes` bytes on each of `flows` flows as fast as they come; with `stalled`, beside a flow that is sent to without end and
 * whose reader stops after its first piece. The ratio of the two times is what a slow reader costs the others.
 */
export async function readBeside(
  network: VpcBinding,
  target: string,
  options: { readonly flows: number; readonly bytes: number; readonly stalled: boolean },
): Promise<ReadResult> {
  const stop = new AbortController()
  const open = async (request: string): Promise<ReadableStream<Uint8Array>> => {
    const socket = network.connect(target, { signal: stop.signal })
    socket.closed.catch(() => {})
    await socket.opened
    await socket.writable.getWriter().write(new TextEncoder().encode(request))
    return socket.readable
  }
  try {
    if (options.stalled) await (await open('s')).getReader().read()
    const startedMs = performance.now()
    const read = async (): Promise<number> => {
      let bytes = 0
      for await (const chunk of await open(`f ${options.bytes}`)) bytes += chunk.length
      return bytes
    }
    const bytes = await Promise.all(Array.from({ length: options.flows }, read))
    return { bytes, elapsedMs: performance.now() - startedMs }
  } finally {
    stop.abort()
  }
}
