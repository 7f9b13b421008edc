import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test from 'node:test'
import { readWorkerConfig } from '@hawser/workers'
import { CapturedLog } from '@hawser/testkit'
import { outputTo } from '../output.ts'
import { testLine } from '../test-line.ts'
import { runInit } from './run-init.ts'
import { workerProject } from './test-worker.ts'

const limits = { timeout: 30_000 }

test('what --yes writes is read again, and changes nothing', limits, async (t) => {
  const folder = await workerProject(t)
  const { code, stdout, stderr } = await testLine(['init', '-c', folder, '--yes'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^Wrote .*hawser\.jsonc\n[^]*Try what it says with: hawser check\n$/)
  const config = await readWorkerConfig({ configPath: folder, logger: new CapturedLog() })
  assert.deepEqual({ ...config.standIns.networks }, { OFFICE: { hosts: [] } })
  assert.deepEqual({ ...config.standIns.services }, {})
  assert.equal(config.egress, undefined)
})

test('a file that is there stays, unless --force says otherwise', limits, async (t) => {
  const folder = await workerProject(t, { 'hawser.jsonc': '{ "egres": broken' })
  const refused = await testLine(['init', '-c', folder, '--yes'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /hawser\.jsonc is there already: give --force to overwrite it \(options_invalid\)/)
  assert.equal(await readFile(join(folder, 'hawser.jsonc'), 'utf8'), '{ "egres": broken')
  assert.equal((await testLine(['init', '-c', folder, '--yes', '--force'])).code, 0)
  assert.match(await readFile(join(folder, 'hawser.jsonc'), 'utf8'), /"OFFICE"/)
})

test('the bindings are those of the environment', limits, async (t) => {
  const folder = await workerProject(t)
  const { code, stdout } = await testLine(['init', '-c', folder, '-e', 'bare', '--yes'])
  assert.equal(code, 0)
  assert.match(stdout, /no vpc_networks and no vpc_services/)
  assert.doesNotMatch(await readFile(join(folder, 'hawser.jsonc'), 'utf8'), /OFFICE|API/)
})

test('a project that has Hawser installed gets the line for editors', limits, async (t) => {
  const folder = await workerProject(t)
  const schema = join(folder, 'node_modules', 'hawser', 'schema')
  await mkdir(schema, { recursive: true })
  await writeFile(join(schema, 'hawser.schema.json'), '{}')
  const { stdout } = await testLine(['init', '-c', folder, '--yes'])
  assert.doesNotMatch(stdout, /npm install/)
  const text = await readFile(join(folder, 'hawser.jsonc'), 'utf8')
  assert.match(text, /"\$schema": "\.\/node_modules\/hawser\/schema\/hawser\.schema\.json",/)
})

test('what is answered on a terminal is what is written', limits, async (t) => {
  const folder = await workerProject(t)
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough()
  const answers = ['db.internal:5432', '', '', 'OFFICE', '', 'localhost', '8080', '-', '5432']
  output.on('data', (text: Buffer) => {
    if (text.toString().trimEnd().endsWith(':')) input.write(`${answers.shift() ?? ''}\n`)
  })
  const out = outputTo({ write: () => {} })
  const common = { configPath: folder, logger: new CapturedLog(), out, signal: t.signal }
  await runInit({ ...common, yes: false, force: false, terminal: { input, output } })
  assert.deepEqual(answers, [])
  const { egress, standIns } = await readWorkerConfig({ configPath: folder, logger: new CapturedLog() })
  assert.equal(egress?.binding, 'OFFICE')
  assert.deepEqual(standIns.networks['OFFICE']?.hosts, [
    { match: { host: 'db.internal', port: 5432 }, host: '127.0.0.1', written: 'db.internal:5432' },
  ])
  assert.deepEqual(standIns.services['API'], { host: 'localhost', httpPort: 8080, tcpPort: 5432 })
})
