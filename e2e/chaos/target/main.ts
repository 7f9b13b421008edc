/** The private service: serves flows until its channel closes, and says on request what it has seen. */
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { Pattern } from '../flow/pattern.ts'
import { serveFlow, TargetLedger } from '../flow/serve-flow.ts'
import type { Finding } from '../kills.ts'

/** What it answers to any message. */
export interface TargetReport {
  /** Connections that are open now. */
  readonly open: number
  readonly served: number
  readonly bytes: number
  readonly corrupted: readonly Finding[]
}

const [seedText, address, portText, echoPortText] = process.argv.slice(2)
const pattern = new Pattern(Number(seedText))
const ledger = new TargetLedger()
const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => serveFlow(socket, pattern, ledger))
/** For probes: sends back what comes, and its end. */
const echo = createServer((socket: Socket) => {
  socket.on('error', () => {})
  socket.pipe(socket)
})
server.listen(Number(portText), address)
echo.listen(Number(echoPortText), address, () => process.send?.('ready'))
process.on('message', () => {
  const { open, served, bytes, corrupted } = ledger
  const report: TargetReport = { open, served, bytes, corrupted }
  process.send?.(report)
})
process.on('disconnect', () => process.exit())
