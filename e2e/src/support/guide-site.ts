import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startConnector } from '@hawser/connector'
import { silentLogger } from '@hawser/core'
import { startEdge } from '@hawser/edge'
import { createAuthority } from '@hawser/testkit'
import type { TestAuthority } from '@hawser/testkit'
import { runWorker } from '@hawser/workers'
import type { Example, Guide } from './guide.ts'
import { HOST, startGuideTargets } from './guide-targets.ts'

const SOCKETS_PACKAGE = fileURLToPath(new URL('../../../packages/sockets', import.meta.url))
const NODE_LIMIT_MS = 20_000

/** Where the examples of a guide run. */
export interface GuideSite extends AsyncDisposable {
  /** What an example answers, or prints. */
  run(example: Example): Promise<string>
}

/** The addresses of a text replaced by those of the servers that stand in for them. */
function redirect(text: string, ports: ReadonlyMap<string, number>): string {
  const inObjects = text.replaceAll(/hostname: '([^']+)', port: (\d+)/g, (whole, host: string, port: string) => {
    const standIn = ports.get(`${host}:${port}`)
    return standIn === undefined ? whole : `hostname: '${HOST}', port: ${standIn}`
  })
  return [...ports].reduce((done, [address, port]) => done.replaceAll(address, `${HOST}:${port}`), inObjects)
}

async function writeCertificates(folder: string, authority: TestAuthority): Promise<void> {
  const { certPem, keyPem } = await authority.issue({ names: ['orders-worker'], usage: 'client' })
  await writeFile(join(folder, 'office-ca.pem'), authority.caPem)
  await writeFile(join(folder, 'worker.pem'), certPem)
  await writeFile(join(folder, 'worker-key.pem'), keyPem)
}

/** One Worker of all examples, each under a path that is its line in the guide. */
async function writeWorker(folder: string, tunnelId: string, lines: readonly number[]): Promise<string> {
  const main = [
    ...lines.map((line) => `import example${line} from './example-${line}.js'`),
    `const examples = { ${lines.map((line) => `'/${line}': example${line}`).join(', ')} }`,
    'export default {',
    '  fetch: (request, env, context) => examples[new URL(request.url).pathname].fetch(request, env, context),',
    '}',
  ]
  await writeFile(join(folder, 'index.js'), main.join('\n'))
  const configPath = join(folder, 'wrangler.jsonc')
  const config = {
    name: 'guide',
    main: 'index.js',
    compatibility_date: '2026-06-01',
    vpc_networks: [{ binding: 'OFFICE', tunnel_id: tunnelId }],
  }
  await writeFile(configPath, JSON.stringify(config))
  return configPath
}

/** The files of a guide and its examples, and the package that those for Node import. */
async function writeGuide(folder: string, guide: Guide, ports: ReadonlyMap<string, number>): Promise<void> {
  for (const [name, text] of guide.files) await writeFile(join(folder, name), redirect(text, ports))
  for (const { line, code } of guide.examples)
    await writeFile(join(folder, `example-${line}.js`), redirect(code, ports))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await mkdir(join(folder, 'node_modules/@hawser'), { recursive: true })
  await symlink(SOCKETS_PACKAGE, join(folder, 'node_modules/@hawser/sockets'))
}

/** The servers that the guide talks of, an edge and a connector, and the examples in one Worker. */
export async function startGuideSite(guide: Guide): Promise<GuideSite> {
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'hawser-guide-'))
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const authority = await createAuthority()
  await writeCertificates(folder, authority)
  const ports = await startGuideTargets(authority, opening)
  await writeGuide(folder, guide, ports)
  const logger = silentLogger
  const tunnel = { host: '127.0.0.1', port: 0 }
  const edge = opening.use(await startEdge({ dataDir: join(folder, 'edge'), tunnel, logger }))
  const { id } = await edge.directory.tunnels.create({ name: 'guide' })
  const token = (await edge.tunnelToken(id)).reveal()
  const connector = opening.use(await startConnector({ token, logger }))
  await connector.ready
  const lines = guide.examples.filter(({ runtime }) => runtime === 'worker').map(({ line }) => line)
  const configPath = await writeWorker(folder, id, lines)
  const worker = opening.use(await runWorker({ configPath, host: edge, logger }))
  const owned = opening.move()
  return {
    async run({ runtime, line }) {
      if (runtime === 'worker') return (await worker.fetch(`/${line}`)).text()
      const words = ['--conditions=hawser-source', `example-${line}.js`]
      const options = { cwd: folder, timeout: NODE_LIMIT_MS }
      return (await promisify(execFile)(process.execPath, words, options)).stdout
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
