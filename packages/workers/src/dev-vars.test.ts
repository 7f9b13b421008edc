import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { CapturedLog } from '@hawser/testkit'
import { readVarsForRun } from './dev-vars.ts'
import type { Vars } from './dev-vars.ts'
import { writeProject } from './test-project.ts'

interface Case {
  readonly files: Readonly<Record<string, string>>
  readonly vars?: Vars
  readonly environment?: string
  readonly requiredSecrets?: readonly string[]
}

async function read(t: TestContext, { files, vars = {}, environment, requiredSecrets }: Case) {
  const folder = await writeProject(t, files)
  const logger = new CapturedLog()
  const configPath = join(folder, 'wrangler.jsonc')
  const locateSecret = (index: number) => ({ place: 'w.jsonc:3:9', key: `secrets.required[${index}]` })
  const source = { configPath, environment, vars, requiredSecrets, locateSecret, logger }
  return { vars: await readVarsForRun(source), logger }
}

test('variables of the configuration stand when there is no local file', async (t) => {
  const { vars } = await read(t, { files: {}, vars: { A: '1', B: { c: [2] } } })
  assert.deepEqual(vars, { A: '1', B: { c: [2] } })
})

test('.dev.vars adds to and overrides them', async (t) => {
  const files = { '.dev.vars': 'A=local\nSECRET="with spaces"\n# comment\n' }
  const { vars } = await read(t, { files, vars: { A: '1', B: '2' } })
  assert.deepEqual(vars, { A: 'local', B: '2', SECRET: 'with spaces' })
})

test('the file of the environment is taken instead of the general one', async (t) => {
  const files = { '.dev.vars': 'A=general\nONLY=general', '.dev.vars.staging': 'A=staging' }
  assert.deepEqual((await read(t, { files, environment: 'staging' })).vars, { A: 'staging' })
  assert.deepEqual((await read(t, { files, environment: 'other' })).vars, { A: 'general', ONLY: 'general' })
})

test('without .dev.vars the .env files count, the more special one last', async (t) => {
  const files = { '.env': 'A=1\nB=1\nC=1', '.env.local': 'B=2', '.env.staging': 'C=3' }
  assert.deepEqual((await read(t, { files, environment: 'staging' })).vars, { A: '1', B: '2', C: '3' })
  assert.deepEqual((await read(t, { files })).vars, { A: '1', B: '2', C: '1' })
})

test('.dev.vars hides every .env file', async (t) => {
  const files = { '.dev.vars': 'A=1', '.env': 'B=2' }
  assert.deepEqual((await read(t, { files })).vars, { A: '1' })
})

test('declared secrets are the only ones taken, and missing ones are named', async (t) => {
  const files = { '.dev.vars': 'KEY=k\nSTRAY=s\nA=local' }
  const { vars, logger } = await read(t, { files, vars: { A: '1' }, requiredSecrets: ['KEY', 'ABSENT'] })
  assert.deepEqual(vars, { A: 'local', KEY: 'k' })
  assert.deepEqual(
    logger.at('warn').map(({ message }) => message),
    [
      'w.jsonc:3:9: "secrets.required[1]" asks for ABSENT, which has no value on this machine: add ABSENT=… to .dev.vars',
    ],
  )
})
