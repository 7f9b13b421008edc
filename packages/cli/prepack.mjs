/** Gathers what the published package holds beside its build: the demo's Worker, the guide and the licence. */
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const here = fileURLToPath(new URL('./', import.meta.url))

rmSync(`${here}examples`, { recursive: true, force: true })
cpSync(`${root}examples/demo`, `${here}examples/demo`, {
  recursive: true,
  filter: (from) => !/node_modules|\.wrangler/.test(from.slice(root.length)),
})
for (const file of ['README.md', 'LICENSE']) cpSync(`${root}${file}`, `${here}${file}`)
