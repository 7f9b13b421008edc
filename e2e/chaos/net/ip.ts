import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Carries out commands of iproute2 (`link set wan up`) in one network namespace, in order. */
export async function ip(namespace: string, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) await run('ip', ['-n', namespace, ...command.split(' ')])
}

/** Traffic control, in one network namespace. */
export async function tc(namespace: string, command: string): Promise<void> {
  await run('tc', ['-n', namespace, ...command.split(' ')])
}

/** Runs a command inside a network namespace and returns what it printed. */
export async function inside(namespace: string, command: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await run('ip', ['netns', 'exec', namespace, command, ...words], { maxBuffer: 2 ** 24 })
  return stdout
}

export async function addNamespace(name: string): Promise<void> {
  await run('ip', ['netns', 'add', name])
  await ip(name, 'link set lo up')
}

/** Takes a namespace away with all that runs in it. */
export async function deleteNamespace(name: string): Promise<void> {
  for (const pid of await processesIn(name)) {
    try {
      process.kill(pid, 'SIGKILL') // also ends what is stopped
    } catch {
      // it has ended by itself
    }
  }
  await run('ip', ['netns', 'delete', name])
}

/** Process ids of all that runs in a namespace. */
export async function processesIn(name: string): Promise<number[]> {
  const { stdout } = await run('ip', ['netns', 'pids', name])
  return stdout.split('\n').filter(Boolean).map(Number)
}

export async function namespaceNames(): Promise<string[]> {
  const { stdout } = await run('ip', ['netns', 'list'])
  return stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter(Boolean)
}
