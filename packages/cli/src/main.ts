import { hawser } from './hawser.ts'
import { runProcess } from './run-process.ts'

await runProcess(hawser)
