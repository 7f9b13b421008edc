import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineCase } from '../case.ts'
import type { Case, Measurement } from '../case.ts'
import { hawserDev, wranglerDev } from '../dev/dev-side.ts'
import type { DevSide } from '../dev/dev-side.ts'
import { makeProject } from '../dev/project.ts'
import type { Revision } from '../dev/project.ts'
import { untilAnswer } from '../dev/until-answer.ts'
import { findFreePort } from '../ports.ts'
import type { Scope } from '../scope.ts'
import { median } from '../stats.ts'

/** Reloads of one measurement, of which the median counts: one is too short to be sure of. */
const CHANGES = 3
/** Between two changes: nobody saves again while the version before is being put away. */
const PAUSE_MS = 400

/** Milliseconds from the command to the first answer. Each start is of a process of its own; the folder stays. */
async function measureStarts(scope: Scope, side: DevSide, example?: string): Promise<Measurement> {
  const project = await makeProject(join(scope.folder, 'project'), example)
  let starts = 0
  return async () => {
    const revision: Revision = `revision ${(starts += 1)}`
    await project.save(revision)
    await using own = await scope.nested()
    const port = await findFreePort()
    const startedAt = performance.now()
    const server = await side.start(own, project.folder, port)
    await untilAnswer(server, port, revision, own)
    return performance.now() - startedAt
  }
}

/** Milliseconds from a change of the main module to the first answer of the new one. */
async function measureReloads(scope: Scope, side: DevSide, example?: string): Promise<Measurement> {
  const project = await makeProject(join(scope.folder, 'project'), example)
  await project.save('revision 0')
  const port = await findFreePort()
  const server = await side.start(scope, project.folder, port)
  await untilAnswer(server, port, 'revision 0', scope)
  let changes = 0
  const reload = async (): Promise<number> => {
    await sleep(PAUSE_MS, undefined, { signal: scope.signal })
    const revision: Revision = `revision ${(changes += 1)}`
    const startedAt = performance.now()
    await project.save(revision)
    await untilAnswer(server, port, revision, scope)
    return performance.now() - startedAt
  }
  return async () => {
    const samples: number[] = []
    while (samples.length < CHANGES) samples.push(await reload())
    return median(samples)
  }
}

type Measure = typeof measureStarts

function devCase(doing: 'start' | 'reload', what: string, measure: Measure, example?: string): Case {
  const project = example === undefined ? 'the smallest Worker' : `examples/${example}`
  return defineCase<DevSide>({
    name: `dev-${doing}-${example ?? 'smallest'}`,
    summary: `${what}, ${project}`,
    unit: 'ms',
    better: 'less',
    ours: hawserDev,
    peers: [wranglerDev],
    open: (scope) => Promise.resolve(async (side) => measure(await scope.nested(), side, example)),
  })
}

/** The largest of the examples: a driver from npm, with Node's modules. */
const EXAMPLE = 'postgres'

const start = (example?: string): Case =>
  devCase('start', 'from the command to the first answer', measureStarts, example)
const reload = (example?: string): Case =>
  devCase('reload', 'from a changed file to the first new answer', measureReloads, example)

export const dev: readonly Case[] = [start(), start(EXAMPLE), reload(), reload(EXAMPLE)]
