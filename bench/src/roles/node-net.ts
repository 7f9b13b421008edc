/** The same program on `node:net`, as one writes it: events, callbacks and `drain`. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { serveSocketsLoad } from './sockets-load.ts'
import type { SocketsLoad } from './sockets-load.ts'

async function closed(socket: Socket): Promise<void> {
  socket.end()
  if (!socket.closed) await once(socket, 'close')
}

const load: SocketsLoad = {
  receive({ hostname: host, port }, count) {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true })
      socket.on('data', (chunk: Buffer) => {
        if (!count(chunk.length)) socket.destroy()
      })
      socket.once('error', reject)
      socket.once('close', () => resolve())
    })
  },
  async send({ hostname: host, port }, chunk, count) {
    const socket = connect({ host, port, noDelay: true })
    await once(socket, 'connect')
    do {
      if (!socket.write(chunk)) await once(socket, 'drain')
    } while (count(chunk.byteLength))
    await closed(socket)
  },
  exchange({ hostname: host, port }, request, replyBytes) {
    return new Promise((resolve, reject) => {
      let received = 0
      const socket = connect({ host, port, noDelay: true })
      socket.write(request) // sent as soon as the connection is there
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length
        if (received >= replyBytes) socket.end()
      })
      socket.once('error', reject)
      socket.once('close', () => {
        if (received === replyBytes) resolve()
        else reject(new Error(`the connection ended after ${received} bytes`))
      })
    })
  },
}

serveSocketsLoad(load)
