/** `node inetd.ts PORT COMMAND [WORD…]`: runs the command for each connection, as its input and output. */
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

const [port = '0', command = '', ...words] = process.argv.slice(2)

createServer({ allowHalfOpen: true }, (socket) => {
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => {})
  socket.on('error', () => child.kill('SIGKILL'))
  socket.once('close', () => child.kill('SIGKILL'))
  socket.pipe(child.stdin)
  child.stdout.pipe(socket)
}).listen(Number(port), '127.0.0.1')
