/** The shape of the code: which package may import which (ARCHITECTURE.md, "Layout"), and how. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { test } from 'node:test'

/** Every package and what it may import; nothing else. Test files may also import the test kit. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  tunnel: ['core'],
  sockets: ['core'],
  policy: ['core'],
  directory: ['core', 'policy'],
  connector: ['core', 'tunnel'],
  workers: ['core'],
  edge: ['core', 'tunnel', 'policy', 'directory', 'connector', 'workers'],
  api: ['core', 'directory'],
  cli: ['core', 'tunnel', 'sockets', 'policy', 'directory', 'connector', 'workers', 'edge', 'api'],
  testkit: ['core'],
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g

/** Tests, and what only tests use: `fake-clock.ts`, `test-site.ts`, `raw-peer.ts`, `store-suite.ts`, `session-pair.ts`. */
function isTestCode(file: string): boolean {
  return (
    file.endsWith('.test.ts') ||
    /\/(?:fake|test)-[\w-]+\.ts$/.test(file) ||
    /-(?:suite|pair|peer|harness|fixture)\.ts$/.test(file)
  )
}

async function sources(): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob('packages/*/src/**/*.ts')) files.push(file)
  return files
}

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
}

test('imports between packages point down the list, by name, and never into another package', async () => {
  const files = await sources()
  assert.ok(files.length > 10, 'the search for sources found nothing: the test looks in the wrong place')
  const violations: string[] = []
  for (const file of files) {
    const name = file.split('/')[1] ?? ''
    const allowed = MAY_IMPORT[name]
    if (allowed === undefined) {
      violations.push(`${file}: package ${name} is not in the list`)
      continue
    }
    const permitted = isTestCode(file) ? [...allowed, 'testkit'] : allowed
    for (const specifier of importsOf(file)) {
      const other = /^@hawser\/([a-z-]+)/.exec(specifier)?.[1]
      if (other !== undefined && other !== name && !permitted.includes(other)) {
        violations.push(`${file}: may not import ${specifier}`)
      }
      if (/packages\/|\.\.\/\.\.\/[a-z]+\/src/.test(specifier)) violations.push(`${file}: reaches into ${specifier}`)
    }
  }
  assert.deepEqual(violations, [])
})

test('packages/core imports nothing but Node itself', async () => {
  const foreign = (await sources())
    .filter((file) => file.startsWith('packages/core/') && !file.endsWith('.test.ts'))
    .flatMap((file) => importsOf(file).map((specifier) => ({ file, specifier })))
    .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
  assert.deepEqual(foreign, [])
})
