import assert from 'node:assert/strict'
import { test } from 'node:test'
import { build } from 'esbuild'
import { stackMapper } from './source-positions.ts'

/** Bundles one source, as a file that is not there, and gives the place of `marker` in the output. */
async function bundled(source: string, marker: string) {
  const result = await build({
    stdin: { contents: source, sourcefile: 'src/main.ts', loader: 'ts', resolveDir: '/project' },
    absWorkingDir: '/',
    outfile: '/project/main.js',
    write: false,
    sourcemap: 'external',
  })
  const [map = '', script = ''] = result.outputFiles.map(({ text }) => text)
  const before = script.slice(0, script.indexOf(marker)).split('\n')
  return { map, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

test('positions in the bundle become positions in the source, Hawser’s own go, all others stay', async () => {
  const source = 'interface A { b: string }\n\nexport function fail(): never {\n  throw new Error("x")\n}\n'
  const { map, line, column } = await bundled(source, 'throw')
  const mapStack = stackMapper('/project/main.js', '/project', map)
  const stack = [
    'Error: x at 10:20',
    `    at fail (file:///project/main.js:${line}:${column})`,
    `    at main.js:${line}:${column}`,
    '    at enter (hawser:invocations:24:18)',
    '    at hawser:net:1:1',
    '    at fetch (file:///elsewhere/main2.js:1:1)',
    '    at node:internal/process:1:2',
    '    at Object.<anonymous> (hawser:exports:23:23)',
  ].join('\n')
  assert.deepEqual(mapStack(stack).split('\n'), [
    'Error: x at 10:20',
    '    at fail (/project/src/main.ts:4:3)',
    '    at /project/src/main.ts:4:3',
    '    at fetch (file:///elsewhere/main2.js:1:1)',
    '    at node:internal/process:1:2',
  ])
})

test('a position the map does not know stays as it is', async () => {
  const { map } = await bundled('export {}\n', 'export')
  const frame = 'at file:///project/main.js:1:1'
  assert.match(stackMapper('/project/main.js', '/project', map)(frame), /main\.(js|ts):1:1$/)
})
