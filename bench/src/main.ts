/** `npm run bench`: see HELP in options.ts. */
import { setMaxListeners } from 'node:events'
import { resolve } from 'node:path'
import { CASES } from './cases/index.ts'
import type { Case } from './case.ts'
import { measureCase } from './measure.ts'
import type { CaseResult } from './measure.ts'
import { HELP, parseOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { notesOf, toJson, toTable } from './report.ts'
import { profileHawserInto } from './role.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
/** 128 + SIGINT, as shells count. */
const EXIT_INTERRUPTED = 130

const print = (text: string): void => void process.stdout.write(text)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function list(cases: readonly Case[]): Promise<void> {
  for (const { name, summary, unit, sides } of cases) {
    print(`${name}  (${unit})\n  ${summary}\n`)
    for (const side of sides) {
      const reason = await side.absence()
      print(reason === undefined ? `  - ${side.name}\n` : `  - ${side.name}: absent, ${reason}\n`)
    }
  }
}

async function measure(options: BenchOptions, signal: AbortSignal): Promise<number> {
  const results: CaseResult[] = []
  for (const of of options.cases) results.push(await measureCase(of, options.runs, signal, say))
  if (options.json) {
    for (const note of notesOf(results)) say(note)
    print(`${JSON.stringify(toJson(results), undefined, 2)}\n`)
  } else {
    print(`\n${toTable(results, options.runs)}`)
  }
  return results.some((result) => result.failed.length > 0) ? EXIT_FAILED : 0
}

async function main(words: readonly string[], signal: AbortSignal): Promise<number> {
  let options: BenchOptions
  try {
    options = parseOptions(words, CASES)
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\nSee npm run bench -- --help`)
    return EXIT_USAGE
  }
  if (options.help) print(HELP)
  else if (options.list) await list(options.cases)
  else {
    if (options.cpuProf !== undefined) profileHawserInto(resolve(options.cpuProf))
    return measure(options, signal)
  }
  return 0
}

const interruption = new AbortController()
setMaxListeners(0, interruption.signal) // every process and every wait of a run listens to it
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The second time the user means it: children are told on the way out (scope.ts).
    if (interruption.signal.aborted) process.exit(EXIT_INTERRUPTED)
    interruption.abort(new Error('interrupted'))
  })
}
try {
  process.exitCode = await main(process.argv.slice(2), interruption.signal)
} catch (error) {
  if (!interruption.signal.aborted) throw error
  say('interrupted')
  process.exitCode = EXIT_INTERRUPTED
}
