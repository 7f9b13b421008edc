import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Program } from './process.ts'

export interface Redis extends AsyncDisposable {
  readonly address: string
  readonly port: number
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A redis-server of the test's own, in a folder of its own; undefined where the machine has none. */
export async function startRedis(): Promise<Redis | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-redis-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort() // redis-server does not take port 0 as "any"
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const program = opening.use(new Program('redis-server', words, {}, folder))
  await program.line(/Ready to accept connections/)
  const owned = opening.move()
  return { port, address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
