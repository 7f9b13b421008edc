import type { Socket } from 'node:net'
import { HawserError } from '@hawser/core'
import { MAX_HELLO_BYTES } from './client-hello.ts'

const LF = 10

/**
 * Reads the first line of a connection, without its line feed, and leaves the socket paused with what came behind it unread.
 *
 * @throws {HawserError} `unauthorized` for a line that is too long or does not come whole, `connection_read_timeout`
 */
export function readHello(socket: Socket, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const stop = (): void => {
      clearTimeout(timer)
      socket.pause()
      socket.off('data', onData)
      socket.off('end', onGone)
      socket.off('close', onGone)
    }
    const fail = (reason: HawserError): void => {
      stop()
      reject(reason)
    }
    const onData = (chunk: Buffer): void => {
      const end = chunk.indexOf(LF)
      const part = end < 0 ? chunk : chunk.subarray(0, end)
      chunks.push(part)
      bytes += part.length
      if (bytes > MAX_HELLO_BYTES) return fail(new HawserError('unauthorized', 'the hello of a client is too long'))
      if (end < 0) return undefined
      stop()
      if (end + 1 < chunk.length) socket.unshift(chunk.subarray(end + 1))
      return resolve(Buffer.concat(chunks).toString('utf8'))
    }
    const onGone = (): void =>
      fail(new HawserError('unauthorized', 'the connection ended before the hello of a client'))
    const timer = setTimeout(() => fail(new HawserError('connection_read_timeout', 'no hello in time')), timeoutMs)
    socket.on('data', onData)
    socket.on('end', onGone)
    socket.on('close', onGone)
    socket.resume()
  })
}
