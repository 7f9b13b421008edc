import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from './process.ts'

/** A broker of the test's own that lets anybody of this machine in. */
export interface Mosquitto extends AsyncDisposable {
  readonly port: number
  /** Bytes of the first message to a topic, past or future. */
  received(topic: string): Promise<number>
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Undefined where the machine has no mosquitto. */
export async function startMosquitto(): Promise<Mosquitto | undefined> {
  const command = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path))
  if (command === undefined) return undefined
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-mosquitto-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort() // port 0 means its own default
  const program = opening.use(new Program(command, ['-p', String(port), '-v'], {}, folder))
  await program.line(/mosquitto version \S+ running/)
  const owned = opening.move()
  return {
    port,
    async received(topic) {
      const line = await program.line(new RegExp(`Received PUBLISH .*'${topic}', \\.\\.\\. \\((\\d+) bytes\\)`))
      return Number(line[1])
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
