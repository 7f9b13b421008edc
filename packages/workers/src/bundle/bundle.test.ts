import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { HawserError } from '@hawser/core'
import { assertNoLeaks, CapturedLog } from '@hawser/testkit'
import { readWorkerConfig } from '../config.ts'
import { wranglerConfig, writeProject } from '../test-project.ts'
import { bundleWorker } from './bundle.ts'
import type { WorkerBundle } from './bundle.ts'

const DATE = '2026-07-01'
const HELLO = `export default { fetch: () => new Response('hello') }`

interface Bundled {
  readonly bundle: WorkerBundle
  readonly folder: string
  readonly log: CapturedLog
  /** Text of the entry module. */
  readonly code: string
}

async function bundle(
  t: TestContext,
  files: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>> = {},
  date = DATE,
): Promise<Bundled> {
  const folder = await writeProject(t, { 'wrangler.jsonc': wranglerConfig(config), ...files })
  const log = new CapturedLog()
  const worker = await readWorkerConfig({ configPath: folder, logger: log })
  const result = await bundleWorker(worker, date, log)
  const { contents } = result.modules[0]
  return { bundle: result, folder, log, code: typeof contents === 'string' ? contents : '' }
}

function fails(code: 'bundle_failed' | 'config_invalid', message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(HawserError.is(error, code), String(error))
    assert.match(error.message, message)
    return true
  }
}

test('TypeScript, JSX and several files become one module, and nothing is written', async (t) => {
  assertNoLeaks(t)
  const files = {
    'src/index.tsx': `import { twice } from './twice'\nconst h = (tag: string) => tag\nexport const element: string = <main />\nexport class Room {}\nexport default { fetch: (): Response => new Response(String(twice(21))) }`,
    'src/twice.ts': `export const twice = (n: number): number => n * 2`,
  }
  const { bundle: result, folder, code, log } = await bundle(t, files, { main: 'src/index.tsx', jsx_factory: 'h' })
  assert.equal(result.modules.length, 1)
  assert.equal(result.modules[0].path, join(folder, 'src', 'index.js'))
  assert.equal(result.modules[0].type, 'ESModule')
  assert.deepEqual([...result.exports].toSorted(), ['Room', 'default', 'element'])
  assert.deepEqual(result.inputs.map((file) => relative(folder, file)).toSorted(), ['src/index.tsx', 'src/twice.ts'])
  assert.match(code, /h\("main", null\)/)
  assert.match(code, /__name\(/, 'names are kept, as wrangler keeps them')
  assert.deepEqual((await readdir(folder, { recursive: false })).toSorted(), ['node_modules', 'src', 'wrangler.jsonc'])
  assert.deepEqual(log.lines, [])
})

test('a JavaScript entry point is bundled beside itself and not overwritten', async (t) => {
  assertNoLeaks(t)
  for (const main of ['index.js', 'worker.mjs']) {
    const { bundle: result, folder, code } = await bundle(t, { [main]: HELLO }, { main })
    assert.equal(result.modules[0].path, join(folder, main.replace('.mjs', '.js')))
    assert.ok(code.includes('hello'))
    assert.equal(await readFile(join(folder, main), 'utf8'), HELLO)
  }
})

test('an npm package that needs Node.js is bundled, with what workerd has left outside', async (t) => {
  assertNoLeaks(t)
  const source = `import { Client } from 'pg'\nexport default { fetch: () => new Response(typeof Client + Buffer.from('x') + process.version) }`
  const { code, bundle: result } = await bundle(t, { 'index.ts': source }, { compatibility_flags: ['nodejs_compat'] })
  const imports = [...code.matchAll(/^import .*?"([^"]+)";$/gm)].map((match) => match[1] ?? '')
  assert.ok(imports.includes('net'), imports.join())
  assert.deepEqual(
    imports.filter((name) => !isBuiltin(name)),
    [],
  )
  assert.ok(code.includes('import("cloudflare:sockets")'), 'the driver takes its Workers build')
  assert.ok(result.inputs.some((file) => file.includes('pg-cloudflare')))
})

test('globals that an older date lacks are put in, and only there', async (t) => {
  assertNoLeaks(t)
  const files = { 'index.ts': `export default { fetch: () => new Response(process.version + Buffer.from('x')) }` }
  const config = { compatibility_flags: ['nodejs_compat'] }
  const older = await bundle(t, files, config, '2024-10-01')
  const newer = await bundle(t, files, config, DATE)
  const sets = 'globalThis.process = '
  assert.deepEqual([older.code.includes(sets), newer.code.includes(sets)], [true, false])
  assert.ok(older.bundle.inputs.every((file) => !file.includes('_hawser_global_')))
})

test('a bare name of a built-in is the same as with node:, required or imported', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.ts': `import path from 'path'\nimport legacy from './legacy.cjs'\nexport default { fetch: () => new Response(path.join('a', legacy.sep)) }`,
    'legacy.cjs': `const { sep } = require('node:path')\nmodule.exports = { sep, util: require('util').inspect }`,
  }
  const { code } = await bundle(t, files, { compatibility_flags: ['nodejs_compat'] })
  assert.match(code, /from "(?:node:)?path"/)
  assert.doesNotMatch(code, /Dynamic require of "node:path"/)
})

test('without nodejs_compat node: imports stay for workerd to judge, and bare names are explained', async (t) => {
  assertNoLeaks(t)
  const outside = await bundle(t, { 'index.ts': `import 'node:fs'\n${HELLO}` })
  assert.match(outside.code, /import "node:fs"/)
  await assert.rejects(
    bundle(t, { 'index.ts': `import fs from 'fs'\nconsole.log(fs)\n${HELLO}` }),
    fails('bundle_failed', /Could not resolve "fs"[^]*index\.ts:1:15[^]*add "nodejs_compat" to "compatibility_flags"/),
  )
  await assert.rejects(
    bundle(
      t,
      { 'index.ts': `import fs from 'fs'\nconsole.log(fs)\n${HELLO}` },
      { compatibility_flags: ['nodejs_compat'] },
      '2023-01-01',
    ),
    fails('bundle_failed', /import it as "node:fs", or set "compatibility_date"/),
  )
})

test('text, data and WebAssembly files become modules of their own', async (t) => {
  assertNoLeaks(t)
  const wasm = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
  const files = {
    'index.ts': `import page from './page.html'\nimport data from './data.bin'\nimport add from './add.wasm?module'\nimport again from './more/page.html'\nexport default { fetch: () => new Response(page + again + data.byteLength + add) }`,
    'page.html': '<p>one</p>',
    'more/page.html': '<p>two</p>',
    'data.bin': new Uint8Array([1, 2, 3]),
    'add.wasm': wasm,
  }
  const { bundle: result, code, folder } = await bundle(t, files)
  const [, ...others] = result.modules
  assert.deepEqual(others.map(({ type }) => type).toSorted(), ['CompiledWasm', 'Data', 'Text', 'Text'])
  for (const module of others) assert.ok(code.includes(`"./${relative(folder, module.path)}"`), module.path)
  assert.deepEqual(others.find(({ type }) => type === 'CompiledWasm')?.contents, Buffer.from(wasm))
  assert.ok(result.inputs.includes(join(folder, 'add.wasm')))
})

test('preserve_file_names keeps the names of such modules', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.ts': `import text from './a.txt'\nexport default { fetch: () => new Response(text) }`,
    'a.txt': 'x',
  }
  const { bundle: result, folder } = await bundle(t, files, { preserve_file_names: true })
  assert.equal(result.modules[1]?.path, join(folder, 'a.txt'))
})

test('rules decide what becomes a module; an import that only a hidden rule matches is an error', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.ts': `import text from './a.md'\nexport default { fetch: () => new Response(text) }`,
    'a.md': 'x',
    'b.txt': 'y',
  }
  const rules = [{ type: 'Text', globs: ['**/*.md'] }]
  const { bundle: result } = await bundle(t, files, { rules })
  assert.equal(result.modules[1]?.type, 'Text')
  const other = {
    ...files,
    'index.ts': `import text from './b.txt'\nexport default { fetch: () => new Response(text) }`,
  }
  await assert.rejects(bundle(t, other, { rules }), fails('bundle_failed', /"\.\/b\.txt" matches only the module rule/))
})

test('define, alias and tsconfig paths apply', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.ts': `import { who } from 'greeter'\nimport { lib } from '@lib/value'\ndeclare const VERSION: string\nexport default { fetch: () => new Response(who + lib + VERSION + process.env.NODE_ENV + navigator.userAgent) }`,
    'mine.ts': `export const who = 'aliased'`,
    'lib/value.ts': `export const lib = 'from paths'`,
    'tsconfig.app.json': { compilerOptions: { paths: { '@lib/*': ['./lib/*'] } } },
  }
  const config = { define: { VERSION: '"1.2.3"' }, alias: { greeter: './mine' }, tsconfig: 'tsconfig.app.json' }
  const { code } = await bundle(t, files, config)
  for (const text of ['aliased', 'from paths', '1.2.3', 'Cloudflare-Workers']) assert.ok(code.includes(text), text)
  assert.doesNotMatch(code, /process\.env/)
})

test('paths of the configuration are taken from its folder, wherever the process runs', async (t) => {
  assertNoLeaks(t)
  const files = {
    'deep/er/wrangler.json': wranglerConfig({
      main: 'src/index.ts',
      tsconfig: 'tsconfig.app.json',
      alias: { a: './a' },
    }),
    'deep/er/tsconfig.app.json': { compilerOptions: { paths: { '@lib/*': ['./lib/*'] } } },
    'deep/er/src/index.ts': `import { b } from '@lib/b'\nimport { a } from 'a'\nexport default { fetch: () => new Response(a + b) }`,
    'deep/er/lib/b.ts': `export const b = 'from lib'`,
    'deep/er/a.ts': `export const a = 'from alias'`,
  }
  const folder = await writeProject(t, files)
  const logger = new CapturedLog()
  const config = await readWorkerConfig({ configPath: join(folder, 'deep', 'er'), logger })
  const { inputs } = await bundleWorker(config, DATE, logger)
  const names = inputs.map((file) => relative(folder, file)).toSorted((one, other) => one.localeCompare(other))
  assert.deepEqual(names, ['deep/er/a.ts', 'deep/er/lib/b.ts', 'deep/er/src/index.ts'])
})

test('minify and keep_names are the configuration’s', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.ts': `function aLongName() { return 1 }\nexport default { fetch: () => new Response(String(aLongName())) }`,
  }
  const small = await bundle(t, files, { minify: true, keep_names: false })
  assert.doesNotMatch(small.code, /aLongName|__name/)
})

test('cloudflare: modules stay outside', async (t) => {
  assertNoLeaks(t)
  const source = `import { connect } from 'cloudflare:sockets'\nimport { env } from 'cloudflare:workers'\nexport default { fetch: () => connect(env.A) }`
  const { code } = await bundle(t, { 'index.ts': source })
  assert.match(code, /from "cloudflare:sockets"/)
  assert.match(code, /from "cloudflare:workers"/)
})

test('find_additional_modules adds every file that a rule matches', async (t) => {
  assertNoLeaks(t)
  const files = {
    'src/index.ts': `export default { fetch: async (request: Request) => new Response((await import('./lang/' + request.url + '.mjs')).default) }`,
    'src/lang/de.mjs': `export default 'Hallo'`,
    'src/lang/fr.mjs': `export default 'Bonjour'`,
    'src/notes.txt': 'text',
    'src/other.ts': 'not matched',
  }
  const config = {
    main: 'src/index.ts',
    find_additional_modules: true,
    rules: [{ type: 'ESModule', globs: ['lang/*.mjs'] }],
  }
  const { bundle: result, folder } = await bundle(t, files, config)
  const others = result.modules.slice(1).map(({ path, type }) => `${type} ${relative(folder, path)}`)
  assert.deepEqual(others.toSorted(), ['ESModule src/lang/de.mjs', 'ESModule src/lang/fr.mjs', 'Text src/notes.txt'])
})

test('no_bundle leaves imports alone and brings the files along', async (t) => {
  assertNoLeaks(t)
  const files = {
    'index.mjs': `import { a } from './dep.mjs'\nexport default { fetch: () => new Response(a) }`,
    'dep.mjs': `export const a = 1`,
  }
  const config = { main: 'index.mjs', no_bundle: true, base_dir: '.', rules: [{ type: 'ESModule', globs: ['*.mjs'] }] }
  const { bundle: result, code, folder } = await bundle(t, files, config)
  assert.match(code, /from "\.\/dep\.mjs"/)
  assert.ok(result.modules.some(({ path, type }) => path === join(folder, 'dep.mjs') && type === 'ESModule'))
})

const BAD: readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  code: 'bundle_failed' | 'config_invalid',
  said: RegExp,
][] = [
  [
    'a syntax error',
    { 'index.ts': 'export default {\n  fetch( {\n}' },
    'bundle_failed',
    /Expected .*\n\n\s+index\.ts:\d+:\d+:/,
  ],
  [
    'a missing file',
    { 'index.ts': `import './gone'\n${HELLO}` },
    'bundle_failed',
    /Could not resolve "\.\/gone"[^]*index\.ts:1:7/,
  ],
  [
    'a missing package',
    { 'index.ts': `import 'no-such-package'\n${HELLO}` },
    'bundle_failed',
    /Could not resolve "no-such-package"/,
  ],
  ['a missing entry point', {}, 'bundle_failed', /Could not resolve .*index\.ts/],
  [
    'a missing text file',
    { 'index.ts': `import a from './gone.txt'\nconsole.log(a)\n${HELLO}` },
    'bundle_failed',
    /Could not resolve "\.\/gone\.txt"[^]*index\.ts:1:14/,
  ],
  [
    'an assignment to a constant',
    { 'index.ts': `import { a } from './a'\nconst b = a\nb = 2\n${HELLO}`, 'a.ts': 'export const a = 1' },
    'bundle_failed',
    /Cannot assign to "b" because it is a constant[^]*index\.ts:3:0/,
  ],
  [
    'the service-worker format',
    { 'index.ts': `addEventListener('fetch', (event) => event.respondWith(new Response('x')))` },
    'config_invalid',
    /no default export.*service-worker format.*export default/,
  ],
  [
    'named exports alone',
    { 'index.ts': `export const fetch = () => new Response('x')` },
    'config_invalid',
    /no default export/,
  ],
]

for (const [name, files, code, said] of BAD) {
  test(`refused: ${name}`, async (t) => {
    assertNoLeaks(t)
    await assert.rejects(bundle(t, files), fails(code, said))
  })
}

test('refused: classes that are bound and not exported', async (t) => {
  assertNoLeaks(t)
  const objects = { durable_objects: { bindings: [{ name: 'A', class_name: 'Room' }] } }
  await assert.rejects(
    bundle(t, { 'index.ts': HELLO }, objects),
    fails('config_invalid', /Durable Objects, which are not exported in your entrypoint file: Room\./),
  )
  const workflows = { workflows: [{ name: 'w', binding: 'W', class_name: 'Flow' }] }
  await assert.rejects(
    bundle(t, { 'index.ts': HELLO }, workflows),
    fails('config_invalid', /Workflows, which are not exported/),
  )
})

test('warnings of esbuild go to the log, with their place', async (t) => {
  assertNoLeaks(t)
  const { log } = await bundle(t, { 'index.ts': `const a = { b: 1, b: 2 }\nconsole.log(a)\n${HELLO}` })
  assert.match(log.at('warn')[0]?.message ?? '', /Duplicate key "b"[^]*index\.ts:1:18/)
})
