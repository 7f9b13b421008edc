/** Type-checks every part of the workspace that has its own compiler settings, all at once. */
import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'

const PROJECTS = [
  '.',
  'packages/cli',
  'packages/workers/src/runtime',
  'packages/workers/src/runtime-dev',
  ...globSync('examples/*'),
  'e2e/src/fixtures',
]

function check(project: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn('tsc', ['-p', project, '--pretty'], { stdio: 'inherit' })
    child.once('close', (code) => resolve(code ?? 1))
  })
}

const codes = await Promise.all(PROJECTS.filter((project) => existsSync(`${project}/tsconfig.json`)).map(check))
process.exitCode = codes.some((code) => code !== 0) ? 1 : 0
