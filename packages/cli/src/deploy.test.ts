/** What deploy/ and docs/operations.md say, held against the program: nobody else would notice when they stop being true. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test from 'node:test'
import type { Command, FlagSpec } from './command.ts'
import { hawser } from './hawser.ts'
import { connectorMetrics } from './metrics/connector-metrics.ts'
import { edgeMetrics } from './metrics/edge-metrics.ts'
import type { Metric } from './metrics/exposition.ts'
import { fakeConnector, fakeEdge } from './metrics/fake-observed.ts'
import { processMetrics } from './metrics/process-metrics.ts'
import { parseLine } from './parse-line.ts'
import { readFlags } from './read-flags.ts'
import { LOG_FLAGS } from './run-line.ts'

const root = new URL('../../../', import.meta.url)
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8')
const UNITS = ['hawser-connector', 'hawser-edge'] as const

interface ReadLine {
  readonly command: Command
  readonly flags: Record<string, unknown>
}

/** Reads a command line as the program would, and fails where it would. */
function readLine(words: readonly string[], env: Record<string, string> = {}): ReadLine {
  const parsed = parseLine(words, { ...hawser, common: LOG_FLAGS, write: () => {} })
  if (parsed.kind !== 'run') {
    throw new Error(`${words.join(' ')}: ${parsed.kind === 'wrong' ? parsed.error.message : parsed.kind}`)
  }
  const { command, raw } = parsed.invocation
  return { command, flags: readFlags({ ...command.flags, ...LOG_FLAGS }, raw, { env, cwd: '/' }) }
}

/** `Key=value` of a unit; of a repeated one the last. */
function settingsOf(unit: string): ReadonlyMap<string, string> {
  return new Map([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]))
}

/** Variables that a command reads. */
function variablesOf({ flags }: Command): ReadonlySet<string> {
  const specs: readonly FlagSpec[] = Object.values({ ...flags, ...LOG_FLAGS })
  return new Set(specs.flatMap(({ env }) => env ?? []))
}

for (const name of UNITS) {
  test(`${name}.service starts a command line that is right, and stops later than its grace period`, async () => {
    const settings = settingsOf(await read(`deploy/systemd/${name}.service`))
    const [program, ...words] = (settings.get('ExecStart') ?? '').split(' ')
    assert.equal(program, '/usr/local/bin/hawser')
    const { flags } = readLine(words)
    assert.ok(Number(settings.get('TimeoutStopSec')) * 1000 > Number(flags['gracePeriod']))
    assert.equal(flags['logFormat'], 'json')
    assert.ok(flags['metrics'] !== undefined)
  })

  test(`${name}.service gives away nothing and keeps no privilege`, async () => {
    const unit = await read(`deploy/systemd/${name}.service`)
    const settings = settingsOf(unit)
    for (const [key, value] of Object.entries({
      DynamicUser: 'yes',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      CapabilityBoundingSet: '',
      KillMode: 'mixed',
      Restart: 'on-failure',
      RestartPreventExitStatus: '2',
    })) {
      assert.equal(settings.get(key), value, key)
    }
    assert.match(settings.get('SystemCallFilter') ?? '', /^@system-service( @pkey)?$/)
    assert.equal(settings.has('MemoryDenyWriteExecute'), false, 'V8 would not start')
    assert.doesNotMatch(unit, /^Environment=|--token /m)
  })

  test(`${name}.service is accepted by systemd`, async (t) => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
      t.skip('systemd-analyze is not on PATH')
      return
    }
    const folder = await mkdtemp(join(tmpdir(), 'hawser-unit-'))
    t.after(() => rm(folder, { recursive: true }))
    const file = join(folder, `${name}.service`)
    const unit = await read(`deploy/systemd/${name}.service`)
    await writeFile(file, unit.replace('/usr/local/bin/hawser', process.execPath)) // which is there
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
    const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(basename(file)))
    assert.deepEqual(about, [], 'systemd names the file where it finds fault with it')
    assert.equal(status, 0, stderr)
  })
}

test('the unit of the connector is handed its token as a credential', async () => {
  const settings = settingsOf(await read('deploy/systemd/hawser-connector.service'))
  assert.match(settings.get('LoadCredential') ?? '', /^token:\/etc\/hawser\//)
  assert.match(settings.get('ExecStart') ?? '', / --token-file \$\{CREDENTIALS_DIRECTORY\}\/token /)
})

/** The last stage of a Dockerfile by this name: its instructions, continued lines joined. */
function stageOf(dockerfile: string, name: string): string {
  const stage = dockerfile.split(/^(?=FROM )/m).find((text) => new RegExp(`^FROM .* AS ${name}$`, 'm').test(text))
  return (stage ?? '').replaceAll('\\\n', ' ')
}

for (const [stage, name, prefix] of [
  ['connector', 'connector run', []],
  ['edge', 'edge', ['edge']],
] as const) {
  test(`the image of the ${stage} starts it with variables that it reads, as nobody special`, async () => {
    const text = stageOf(await read('deploy/container/Dockerfile'), stage)
    const env = Object.fromEntries(
      [...(/^ENV (.*)$/m.exec(text)?.[1] ?? '').matchAll(/(HAWSER_\w+)=(\S+)/g)].map(([, key = '', value = '']) => [
        key,
        value,
      ]),
    )
    const [, ...entry] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)?.[1] ?? '') as string[]
    // The one file takes its flags without the words of the command.
    const { command, flags } = readLine(stage === 'edge' ? entry : ['connector', 'run', ...entry.slice(1)], env)
    assert.equal(command.name, name)
    assert.deepEqual(stage === 'edge' ? entry.slice(0, 1) : [], prefix)
    for (const key of Object.keys(env)) assert.ok(variablesOf(command).has(key), key)
    const { port } = flags['metrics'] as { port: number }
    assert.match(text, new RegExp(`^EXPOSE .*\\b${port}\\b`, 'm'))
    assert.ok(text.includes(`http://127.0.0.1:${port}/ready`), 'the health check asks where metrics are')
    assert.match(text, /^USER node$/m)
  })
}

test('the containers of the example are stopped later than their grace periods, by flags that are there', async () => {
  const compose = await read('deploy/container/compose.yaml')
  for (const [name, words] of [
    ['edge', ['edge', '--data-dir', '/data']],
    ['connector', ['connector', 'run']],
  ] as const) {
    const service = new RegExp(`^  ${name}:\n((?:    .*\n)+)`, 'm').exec(compose)?.[1] ?? ''
    const more = JSON.parse((/command: (.*)/.exec(service)?.[1] ?? '').replaceAll("'", '"')) as string[]
    const { flags } = readLine([...words, ...more])
    const seconds = Number(/stop_grace_period: (\d+)s/.exec(service)?.[1])
    assert.ok(seconds * 1000 > Number(flags['gracePeriod']), name)
    assert.match(service, /read_only: true/)
    assert.match(service, /cap_drop: \[ALL\]/)
  }
})

/** Rows of the tables of metrics, as the docs have them. */
function rowOf({ name, type, help }: Metric): string {
  return `| \`${name}\` | ${type} | ${help} |`
}

test('the metrics of docs/operations.md are those that there are', async () => {
  const docs = await read('docs/operations.md')
  for (const [heading, metrics] of [
    ['Of a connector', connectorMetrics(fakeConnector().connector)],
    ['Of an edge', edgeMetrics(fakeEdge().edge)],
    ['Of both', processMetrics()],
  ] as const) {
    const section = docs.split(`### ${heading}\n`)[1]?.split('\n### ')[0] ?? ''
    const rows = section.split('\n').filter((line) => /^\| `\w+` \| \w+ \|/.test(line))
    assert.deepEqual(rows, metrics.map(rowOf), heading)
  }
  const all = [...connectorMetrics(fakeConnector().connector), ...edgeMetrics(fakeEdge().edge), ...processMetrics()]
  for (const [, name = ''] of docs.matchAll(/expr: .*?\b((?:cloudflared|hawser|nodejs)_\w+)/g)) {
    assert.ok(
      all.some((metric) => metric.name === name),
      `an alert leans on ${name}`,
    )
  }
})

test('the command lines, flags and variables of docs/operations.md are those that there are', async () => {
  const docs = await read('docs/operations.md')
  const lines = [...docs.matchAll(/^hawser (.+)$/gm)].map(([, line = '']) => line)
  assert.ok(lines.length > 0)
  for (const line of lines) readLine(line.split(' '))
  const specs = [LOG_FLAGS, ...hawser.commands.map(({ flags }) => flags)]
  const known = new Set(specs.flatMap((flags) => Object.keys(flags)))
  for (const [, flag = ''] of docs.matchAll(/`--([a-z-]+)/g)) {
    assert.ok(known.has(flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())), `--${flag}`)
  }
  const variables = new Set(hawser.commands.flatMap((command) => [...variablesOf(command)]))
  for (const [name] of docs.matchAll(/HAWSER_\w+/g)) assert.ok(variables.has(name), name)
})
