/** The connector alone, built into one file that needs nothing but Node: `node hawser-connector.mjs --token-file F`. */
import diag from './commands/connector/diag.ts'
import run from './commands/connector/run.ts'
import { runProcess } from './run-process.ts'
import { VERSION } from './version.ts'

/** The file is the connector; its one other word is the one that helps where it does not connect. */
const wantsDiag = process.argv[2] === 'diag'
if (wantsDiag) process.argv.splice(2, 1)
const command = wantsDiag ? diag : run
const name = wantsDiag ? 'hawser-connector diag' : 'hawser-connector'

await runProcess({ name, summary: command.summary, version: VERSION, groups: {}, commands: [command] }, command)
