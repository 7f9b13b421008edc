import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly residentKiB: number
}

/** Reads `/proc/<pid>/status`; undefined for kernel threads and zombies, which have no memory. */
export function parseStatus(text: string): ProcessRow | undefined {
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1])
  const row = { pid: field('Pid'), parent: field('PPid'), residentKiB: field('VmRSS') }
  return Object.values(row).every(Number.isFinite) ? row : undefined
}

/** Reads the output of `ps -A -o pid=,ppid=,rss=`. */
export function parseProcesses(text: string): ProcessRow[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3 && fields.every(Number.isFinite))
    .map(([pid = 0, parent = 0, residentKiB = 0]) => ({ pid, parent, residentKiB }))
}

/** Small Linux images have no ps; other systems have no /proc. */
async function listProcesses(): Promise<ProcessRow[]> {
  if (process.platform !== 'linux') return parseProcesses((await run('ps', ['-A', '-o', 'pid=,ppid=,rss='])).stdout)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // One that ends in between has no file any more, and no memory either.
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')))
  return texts.map(parseStatus).filter((row) => row !== undefined)
}

/** Resident KiB of `roots` and all their descendants together. */
export function residentOf(rows: readonly ProcessRow[], roots: readonly number[]): number {
  const counted = new Set(roots)
  // ps lists in no order that puts parents first: go on until nothing is added.
  for (let before = 0; before < counted.size;) {
    before = counted.size
    for (const row of rows) if (counted.has(row.parent)) counted.add(row.pid)
  }
  return rows.filter((row) => counted.has(row.pid)).reduce((sum, row) => sum + row.residentKiB, 0)
}

/** What the system says now. Pages that processes share count once for each, as in `ps`. */
export async function residentKiB(roots: readonly number[]): Promise<number> {
  return residentOf(await listProcesses(), roots)
}
