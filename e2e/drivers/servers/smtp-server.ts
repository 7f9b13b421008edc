import { fileURLToPath } from 'node:url'
import { freePort, PASSWORD, startProgram } from '../support/server.ts'
import type { ServerKind } from '../support/server.ts'

const PROGRAM = fileURLToPath(new URL('../fixtures/smtp-program.ts', import.meta.url))

/** The npm package: a server that can be told what to refuse and when to be silent. */
export const smtpServer: ServerKind = {
  name: 'smtp-server',
  async start({ folder, tls }, own) {
    const port = await freePort()
    const words = [PROGRAM, `${port}`, PASSWORD, ...(tls === undefined ? [] : [tls.cert, tls.key])]
    const program = await startProgram(own, process.execPath, words, { port, cwd: folder })
    return { program, port, user: 'driver', password: PASSWORD }
  },
}
