import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Program } from '../../src/support/process.ts'

/** PEM files for a server that is to speak TLS. */
export interface ServerTls {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** What a server is started with. */
export interface ServerOptions {
  /** Empty, of this server alone, everybody may read it. */
  readonly folder: string
  /** Undefined for a server in clear. */
  readonly tls: ServerTls | undefined
  /** Where drivers reach it: what a server that announces its address has to announce. */
  readonly publicPort: number
}

/** A server that is running. */
export interface Server {
  readonly program: Program
  readonly port: number
  readonly user?: string
  readonly password?: string
  readonly extra?: Readonly<Record<string, string>>
}

/** How to have one kind of server. */
export interface ServerKind {
  /** As in the table. */
  readonly name: string
  /** Debian package, for machines that lack it; none for a server from npm. */
  readonly apt?: string
  /** Looked for to tell whether it is installed. */
  readonly command?: string
  /** Where else than on PATH the command may be. */
  readonly folders?: readonly string[]
  start(options: ServerOptions, own: AsyncDisposableStack): Promise<Server>
}

export const PASSWORD = 'drivers-pass-1'

/** Below those that systems give to outgoing connections: some servers take a second until they bind theirs. */
const PORTS = { first: 15_000, end: 32_000 } as const

function canListen(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.end)
    if (await canListen(port)) return port
  }
}

/** A folder in the system's temporary one that is removed with `own`. */
export async function temporaryFolder(own: AsyncDisposableStack, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `hawser-drivers-${name}-`))
  own.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** Runs a command to its end. @throws with what it printed */
export async function runCommand(command: string, words: readonly string[], cwd: string): Promise<string> {
  return (await promisify(execFile)(command, [...words], { cwd, timeout: 120_000 })).stdout
}

export async function writeConfig(folder: string, name: string, lines: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', (hadError) => resolve(!hadError))
  })
}

const POLL_MS = 100
const START_MS = 90_000

/** Starts a server and waits until its port answers: the servers have no other sign in common. */
export async function startProgram(
  own: AsyncDisposableStack,
  command: string,
  words: readonly string[],
  { port, cwd, env = {} }: { port: number; cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Program> {
  const program = new Program(command, words, env, cwd)
  own.defer(async () => {
    await killTree(program)
    await program.exited
  })
  const limit = Date.now() + START_MS
  while (!(await connects(port))) {
    if (program.ended || Date.now() > limit) {
      throw new Error(`${command} did not open port ${port}:\n${program.lines.slice(-20).join('\n')}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return program
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const own = text
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)
  return [...own, ...(await Promise.all(own.map(childrenOf))).flat()]
}

/** At once, with every process it has started: what a machine that loses power does. */
export async function killTree({ pid, ended }: Program): Promise<void> {
  if (ended) return
  // Stopped first, so that none is started while they are counted.
  const signal = (id: number, name: NodeJS.Signals): void => {
    try {
      process.kill(id, name)
    } catch {
      // it has ended
    }
  }
  signal(pid, 'SIGSTOP')
  for (const id of [...(await childrenOf(pid)), pid]) signal(id, 'SIGKILL')
}
