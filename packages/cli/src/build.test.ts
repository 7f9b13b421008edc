import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  access,
  constants,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startEdge } from '@hawser/edge'
import { CapturedLog } from '@hawser/testkit'
import { TestProcess } from './test-process.ts'
import { connectThrough, echoService, roundTrip } from './test-through.ts'

const home = fileURLToPath(new URL('..', import.meta.url))
const limits = { timeout: 120_000 }
let folder = ''
let installed = ''
let dist = ''

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'hawser-build-')))
  installed = join(folder, 'installed')
  dist = join(installed, 'dist')
  const tsdown = fileURLToPath(import.meta.resolve('tsdown/run'))
  const built = spawnSync(process.execPath, [tsdown, '--logLevel', 'warn'], {
    cwd: home,
    env: { ...process.env, HAWSER_BUILD_DIR: dist },
    encoding: 'utf8',
  })
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`)
  // The published package as npm would install it: launcher, built files, dependencies, and no sources.
  await cp(join(home, 'bin'), join(installed, 'bin'), { recursive: true })
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(installed, 'node_modules'))
})

after(() => rm(folder, { recursive: true, force: true }))

/** What a built file imports; JSDoc may say `import('./x.js')` without meaning it. */
function importsOf(code: string): string[] {
  const lines = code.split('\n').filter((line) => !/^\s*(?:\*|\/[/*])/.test(line))
  const pattern = /^(?:import|export)\b[^'"]*?["']([^"'\n]+)["'];?$|\bimport\(["']([^"'\n]+)["']\)/gm
  return [...lines.join('\n').matchAll(pattern)].map(([, named, dynamic]) => named ?? dynamic ?? '')
}

test('the package holds no import of a workspace, and its own files are complete', limits, async () => {
  const files = (await readdir(dist, { recursive: true })).filter((name) => /\.(mjs|ts)$/.test(name))
  assert.ok(files.includes('main.mjs'))
  for (const name of files) {
    for (const target of importsOf(await readFile(join(dist, name), 'utf8'))) {
      assert.doesNotMatch(target, /^@hawser\//, name)
      if (target.startsWith('.')) assert.ok(files.includes(join(name, '..', target)), `${name}: ${target}`)
    }
  }
})

test('the modules for workerd are shipped, importing what a Worker has and nothing else', limits, async () => {
  const sources = join(home, '..', 'workers', 'src')
  const wanted = (await readdir(sources, { recursive: true })).filter((name) => name.endsWith('.worker.ts'))
  const folders = new Set(wanted.map((name) => dirname(name)))
  assert.ok(folders.size >= 2)
  await access(join(dist, 'workerd-launcher.sh'), constants.X_OK)
  for (const name of wanted) assert.ok(existsSync(join(dist, name)), name)
  for (const folder of folders) {
    for (const name of await readdir(join(dist, folder))) {
      for (const target of importsOf(await readFile(join(dist, folder, name), 'utf8'))) {
        assert.match(target, /^(\.\/|cloudflare|node:|node-internal:|hawser:)/, name)
      }
    }
  }
})

test('what the built files import from npm is a dependency of the package', limits, async () => {
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { dependencies: object }
  const files = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith('.mjs'))
  for (const name of files) {
    for (const target of importsOf(await readFile(join(dist, name), 'utf8'))) {
      if (target.startsWith('.') || isBuiltin(target)) continue
      const [scope = '', rest = ''] = target.split('/')
      assert.ok((scope.startsWith('@') ? `${scope}/${rest}` : scope) in manifest.dependencies, `${name}: ${target}`)
    }
  }
})

test('the single file imports what Node brings and nothing else', limits, async () => {
  const code = await readFile(join(dist, 'hawser-connector.mjs'), 'utf8')
  const required = [...code.matchAll(/__require\(["']([^"']+)["']\)/g)].map(([, name]) => name ?? '')
  const targets = [...importsOf(code), ...required]
  assert.ok(targets.length > 5)
  for (const target of targets) assert.ok(isBuiltin(target), target)
})

test('the built programs answer', limits, () => {
  for (const [file, line, says] of [
    [join(installed, 'bin', 'hawser.mjs'), ['--help'], /^Usage: hawser \[options\]/],
    [join(installed, 'bin', 'hawser.mjs'), ['tunnel', 'list', '--help'], /^Usage: hawser tunnel list/],
    [join(dist, 'hawser-connector.mjs'), ['--help'], /^Usage: hawser-connector \[options\]/],
    [join(dist, 'hawser-connector.mjs'), ['diag', '--help'], /^Usage: hawser-connector diag \[options\]/],
    [join(dist, 'hawser-connector.mjs'), ['--version'], /^\d+\.\d+\.\d+\n$/],
  ] as const) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...line], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    assert.match(stdout, says)
  }
})

test('the built edge runs a Worker, whose modules for workerd come from the package', limits, async () => {
  const config = join(folder, 'worker', 'wrangler.json')
  await mkdir(join(folder, 'worker'))
  await writeFile(config, JSON.stringify({ name: 'built', main: 'index.js', compatibility_date: '2026-01-01' }))
  const code = `import { connect } from 'cloudflare:sockets'
    export default {
      async fetch() {
        try {
          await connect('127.0.0.1:1').opened
          return new Response('opened')
        } catch (error) {
          return new Response(error.message)
        }
      }
    }`
  await writeFile(join(folder, 'worker', 'index.js'), code)
  const line = ['edge', '--data-dir', join(folder, 'built-edge'), '--tunnel', '127.0.0.1:0', '--api', '127.0.0.1:0']
  const hawser = join(installed, 'bin', 'hawser.mjs')
  await using edge = new TestProcess(hawser, [...line, '--worker', config, '--http', '127.0.0.1:0'])
  await edge.says(/^Next: /m)
  const url = /^http +(\S+) /m.exec(edge.stdout)?.[1] ?? ''
  assert.match(await (await fetch(url)).text(), /proxy request failed, cannot connect to the specified address/)
  assert.deepEqual(await edge.stop(), { code: 0, signal: null })
})

test(
  'the single file in an empty folder, with nothing but Node and a token, carries a connection',
  limits,
  async () => {
    const empty = join(folder, 'empty')
    await mkdir(empty)
    await cp(join(dist, 'hawser-connector.mjs'), join(empty, 'hawser-connector.mjs'))
    const { server, port } = await echoService()
    await using _server = server
    const tunnel = { host: '127.0.0.1', port: 0 }
    await using edge = await startEdge({ dataDir: join(folder, 'edge'), tunnel, logger: new CapturedLog() })
    const { id: tunnelId } = await edge.directory.tunnels.create({ name: 'lab' })
    const doors = await edge.openBinding({ worker: 'w', binding: 'VPC', network: { kind: 'tunnel', tunnelId } })
    const env = { HAWSER_TUNNEL_TOKEN: (await edge.tunnelToken(tunnelId)).reveal() }
    await using connector = new TestProcess(join(empty, 'hawser-connector.mjs'), [], { cwd: empty, env })
    await connector.says(/connected to the edge/)
    const socket = await connectThrough(doors, 'localhost', port)
    assert.equal(await roundTrip(socket, 'through one file'), 'through one file')
    socket.destroy()
    assert.deepEqual(await connector.stop(), { code: 0, signal: null })
    assert.deepEqual(await readdir(empty), ['hawser-connector.mjs'])
  },
)
