/** The connector alone, built into one file that needs nothing but Node: `node hawser-connector.mjs --token-file F`. */
import run from './commands/connector/run.ts'
import { runProcess } from './run-process.ts'
import { VERSION } from './version.ts'

const program = { name: 'hawser-connector', summary: run.summary, version: VERSION, groups: {}, commands: [run] }

await runProcess(program, run)
