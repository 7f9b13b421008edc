/** Worker projects for the tests of `init` and `check`: a folder, gone when the test ends. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A wrangler configuration with a binding of each kind. */
export const WRANGLER: Readonly<Record<string, unknown>> = {
  name: 'orders',
  main: 'index.js',
  compatibility_date: '2026-06-01',
  vpc_networks: [{ binding: 'OFFICE', tunnel_id: '7e1c', remote: true }],
  vpc_services: [{ binding: 'API', service_id: '0a1b', remote: true }],
  env: { bare: { name: 'bare' } },
}

/** @param files name → text, or a value to write as JSON; a right `wrangler.json` and `index.js` unless given */
export async function workerProject(t: TestContext, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'hawser-worker-')))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const all = { 'index.js': 'export default {}', 'wrangler.json': WRANGLER, ...files }
  for (const [name, content] of Object.entries(all)) {
    if (content === undefined) continue
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
  }
  return folder
}
