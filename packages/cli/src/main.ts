/** Entry of the `hawser` command, started by bin/hawser.mjs. */
import { hawser } from './hawser.ts'
import { runProcess } from './run-process.ts'

await runProcess(hawser)
