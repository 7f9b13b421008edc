import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { formatAuthority } from '@hawser/core'
import type { BindingDoors } from '@hawser/core'

/** A private service that sends back what it gets. */
export async function echoService(): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** Opens a connection as a Worker's module would, by CONNECT with the capability of its binding. */
export async function connectThrough(doors: BindingDoors, host: string, port: number): Promise<Socket> {
  const capability = doors.capability.reveal()
  const authority = formatAuthority({ host, port, operation: 'c', id: 'call1', capability }) ?? ''
  const [door = '', doorPort] = doors.connectAddress.split(':')
  const socket = connect(Number(doorPort), door)
  socket.on('error', () => {})
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  let head = ''
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    head += chunk.toString('latin1')
  }
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(head)
  return socket
}

/** Writes `text` and returns as many bytes as come back for it. */
export async function roundTrip(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  let back = ''
  while (back.length < text.length) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    back += chunk.toString('latin1')
  }
  return back
}
