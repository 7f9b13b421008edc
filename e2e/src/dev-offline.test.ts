/** `hawser dev` where no packet leaves the machine: on a train, or in a build without a network. */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NetworkNamespace } from './support/namespace.ts'

const SCENARIO = fileURLToPath(new URL('scenarios/dev-offline.ts', import.meta.url))
const NO_NAMESPACE = 'network namespaces need root and iproute2'

interface Seen {
  readonly private: string
  readonly service: string
  readonly publicStatus: number
  readonly publicConnect: string
  readonly reloaded: string
  readonly cron: string
}

test('without a network a Worker starts, calls, reloads and runs its cron', { timeout: 120_000 }, async (t) => {
  await using namespace = await NetworkNamespace.open()
  if (namespace === undefined) return t.skip(NO_NAMESPACE)
  assert.equal(namespace.routes, '', 'nothing leads out')
  await using program = namespace.node([SCENARIO])
  const [, json = ''] = await program.line(/^RESULT (.*)$/)
  const seen = JSON.parse(json) as Seen
  assert.equal(seen.private, 'stock.internal /rows', 'zero configuration: the network is this machine')
  assert.equal(seen.service, 'anything.example /item')
  assert.equal(seen.publicStatus, 530)
  assert.match(seen.publicConnect, /proxy request failed, cannot connect to the specified address/)
  assert.equal(seen.reloaded, 'version 2')
  assert.equal(seen.cron, 'ok')
  assert.equal(await program.exited, 0, program.lines.join('\n'))
})

const CLI = '../../packages/cli/src'

/** Between them: the examples, and each thing that `hawser dev`, `init`, `check` and `hawser/testing` promise. */
const SUITES = [
  'examples.test.ts',
  'seeds.test.ts',
  `${CLI}/dev-processes.test.ts`,
  `${CLI}/config/run-init.test.ts`,
  `${CLI}/config/run-check.test.ts`,
  `${CLI}/testing/start-hawser.test.ts`,
]

for (const file of SUITES) {
  test(`without a network ${basename(file)} sees what it sees with one`, { timeout: 230_000 }, async (t) => {
    await using namespace = await NetworkNamespace.open()
    if (namespace === undefined) return t.skip(NO_NAMESPACE)
    const words = ['--test', '--test-reporter=tap', fileURLToPath(new URL(file, import.meta.url))]
    // A run of its own: with the variable it would report to the run that this test belongs to.
    await using program = namespace.node(words, { NODE_TEST_CONTEXT: undefined })
    const code = await program.exited
    const output = program.lines.join('\n')
    assert.equal(code, 0, output)
    assert.ok(Number(/^# pass (\d+)$/m.exec(output)?.[1]) > 0, output)
  })
}
