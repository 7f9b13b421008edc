/** A program that uses `@hawser/sockets`. */
import { registerHooks } from 'node:module'
import type { SocketsLoad } from './sockets-load.ts'
import { serveSocketsLoad } from './sockets-load.ts'

// The package as it is in this workspace, not as it was last built.
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, { ...context, conditions: [...context.conditions, 'hawser-source'] }),
})
const { connect } = await import('@hawser/sockets')

const load: SocketsLoad = {
  async receive(address, count) {
    const socket = connect(address)
    const reader = socket.readable.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done || !count(value.byteLength)) break
    }
    await socket.close()
  },
  async send(address, chunk, count) {
    const socket = connect(address)
    const writer = socket.writable.getWriter()
    do await writer.write(chunk)
    while (count(chunk.byteLength))
    await socket.close()
  },
  async exchange(address, request, replyBytes) {
    const socket = connect(address)
    const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
    const writing = writer.write(request)
    for (let received = 0; received < replyBytes;) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`the connection ended after ${received} bytes`)
      received += value.byteLength
    }
    await writing
    await socket.close()
  },
}

serveSocketsLoad(load)
