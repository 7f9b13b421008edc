/**
 * Runs inside a network namespace whose loopback interface carries a public address, and prints as one JSON object what the
 * probe Worker saw for each address it was asked to reach.
 */
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { startStack } from '../support/stack.ts'

const PUBLIC_ADDRESS = '8.8.8.8'

// On every address of the namespace: what is refused below is refused although somebody listens there.
const tcp = createServer((socket) => socket.on('error', () => {}).end('hello')).listen(7000, '0.0.0.0')
const http = createHttpServer((_request, response) => response.end('hello')).listen(8080, '0.0.0.0')
await Promise.all([once(tcp, 'listening'), once(http, 'listening')])

await using stack = await startStack({ tunnelListen: `${PUBLIC_ADDRESS}:0` })
const loopPort = stack.tunnelAddress.split(':').at(-1)

const connects = [
  `${PUBLIC_ADDRESS}:7000`,
  'public.example:7000',
  '127.0.0.1:7000',
  '[::ffff:127.0.0.1]:7000',
  '2130706433:7000',
  'sneaky.example:7000',
  'localhost:7000',
  `${PUBLIC_ADDRESS}:25`,
  `${PUBLIC_ADDRESS}:${loopPort}`,
  `${PUBLIC_ADDRESS}:7001`,
]
const fetches = [
  `http://${PUBLIC_ADDRESS}:8080/`,
  'http://public.example:8080/',
  'http://127.0.0.1:8080/',
  'http://sneaky.example:8080/',
  'http://0x7f.1:8080/',
  'http://no-such-name.example/',
  `http://${PUBLIC_ADDRESS}:8081/`,
]

const seen: Record<string, unknown> = {}
for (const target of connects) {
  seen[target.replace(`:${loopPort}`, ':own-listener')] = await (await stack.ask('/global-connect', { target })).json()
}
for (const target of fetches) seen[target] = await (await stack.ask('/global-fetch', { target })).json()
process.stdout.write(`RESULT ${JSON.stringify(seen)}\n`)

tcp.close()
http.close()
http.closeAllConnections()
