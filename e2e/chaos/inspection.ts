import { setTimeout as pause } from 'node:timers/promises'
import { parseSockets, strayConnections, tunnelConnections } from './leaks.ts'
import { inside } from './net/ip.ts'
import { isBack } from './report.ts'
import type { MemoryReading } from './report.ts'
import type { Stack } from './stack.ts'
import type { Supervised } from './supervised.ts'
import type { TargetReport } from './target/main.ts'

interface Reading {
  readonly residentBytes: number
  /** Open files other than the tunnels' sockets. */
  readonly files: number
  /** Connections other than the tunnels'. */
  readonly strays: readonly string[]
}

export interface Findings {
  readonly memory: readonly MemoryReading[]
  readonly leaks: string[]
}

const LOOK_MS = 1_000
/** After so long without work Hawser has given memory back (`packages/core/src/quiet-memory.ts`). */
const QUIET_MS = 16_000
/** What is read of memory at the start is the middle of so many looks, a second apart. */
const LOOKS = 5

/** Compares edge and connectors, idle after the rehearsal, with what they are, idle, in the end. */
export class Inspection {
  readonly #stack: Stack
  #start: readonly Reading[] = []

  constructor(stack: Stack) {
    this.#stack = stack
  }

  /** Resident memory right after a load still falls for some seconds: the middle of several looks counts. */
  async start(settleMs: number): Promise<void> {
    await pause(Math.min(settleMs, QUIET_MS))
    const looks: (readonly Reading[])[] = []
    for (let look = 0; look < LOOKS; look += 1) {
      await pause(LOOK_MS)
      looks.push(await this.#readAll())
    }
    const last = looks.at(-1) ?? []
    this.#start = last.map((reading, index) => {
      const sizes = looks.map((all) => all[index]?.residentBytes ?? 0).toSorted((one, other) => one - other)
      return { ...reading, residentBytes: sizes[Math.floor(LOOKS / 2)] ?? 0 }
    })
  }

  /** Looks until all is as it was, or until timers and collectors have had so long to let go of what is over. */
  async end(settleMs: number): Promise<Findings> {
    for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
      const findings = await this.#compare()
      if (findings.leaks.length === 0 && findings.memory.every(isBack)) return findings
      if (waitedMs >= settleMs) return findings
      await pause(LOOK_MS)
    }
  }

  target(): Promise<TargetReport> {
    return new Promise((resolve) => {
      this.#stack.target.onceMessage((message) => resolve(message as TargetReport))
      this.#stack.target.send('report')
    })
  }

  /** Connections and kinds of open files of one process, for a message. */
  async openOf(service: Supervised): Promise<string> {
    const { topology } = this.#stack
    const namespace = [topology.edge, ...topology.connectors][this.#services().indexOf(service)] ?? ''
    const sockets = parseSockets(await inside(namespace, 'ss', '-tanpH')).filter(({ pid }) => pid === service.child.pid)
    const lines = sockets.map(({ state, local, peer }) => `${state} ${local} ${peer}`)
    return lines.length === 0 ? 'no TCP socket' : lines.join(', ')
  }

  async #compare(): Promise<Findings> {
    const readings = await this.#readAll()
    const leaks: string[] = []
    const memory: MemoryReading[] = []
    for (const [index, { name }] of this.#services().entries()) {
      const [before, after] = [this.#start[index], readings[index]]
      if (before === undefined || after === undefined) continue
      memory.push({ process: name, startBytes: before.residentBytes, endBytes: after.residentBytes })
      leaks.push(...after.strays.map((stray) => `${name}: ${stray}`))
      const files = after.files - before.files - (after.strays.length - before.strays.length)
      if (files > 0) leaks.push(`${name}: ${files} open files more than at the start`)
    }
    const { open } = await this.target()
    if (open > 0) leaks.push(`the target: ${open} connections are still open`)
    return { memory, leaks }
  }

  #services(): readonly Supervised[] {
    return [this.#stack.edge, ...this.#stack.connectors]
  }

  #readAll(): Promise<Reading[]> {
    const { topology } = this.#stack
    const namespaces = [topology.edge, ...topology.connectors]
    return Promise.all(this.#services().map((service, index) => readProcess(service, namespaces[index] ?? '')))
  }
}

async function readProcess({ child }: Supervised, namespace: string): Promise<Reading> {
  const all = parseSockets(await inside(namespace, 'ss', '-tanpH'))
  const sockets = all.filter(({ pid }) => pid === child.pid)
  const strays = strayConnections(sockets).map(({ state, local, peer }) => `${state} ${local} ${peer}`)
  const files = (await child.openFiles()) - tunnelConnections(sockets).length
  return { residentBytes: await child.residentBytes(), files, strays }
}
