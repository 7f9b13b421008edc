import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { assertNoLeaks } from '@hawser/testkit'

const run = promisify(execFile)
const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** An empty folder with the packed package in it, as a user would have it. */
let folder: string
let app: string

before(
  async () => {
    folder = await mkdtemp(join(tmpdir(), 'hawser-sockets-'))
    app = join(folder, 'app')
    await mkdir(app)
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'app', type: 'module', private: true }))
    await run('npm', ['pack', '--pack-destination', folder], { cwd: PACKAGE })
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? ''
    // No registry is needed, because there is no dependency; offline makes sure of that.
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, tarball)], { cwd: app })
  },
  { timeout: 180_000 },
)

after(() => rm(folder, { recursive: true, force: true }))

async function files(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted()
}

test('the packed package holds the module, its types, README and licence, and nothing else', async () => {
  assert.deepEqual(await files(join(app, 'node_modules/@hawser/sockets')), [
    'LICENSE',
    'README.md',
    'dist/index.d.mts',
    'dist/index.mjs',
    'dist/index.mjs.map',
    'package.json',
  ])
})

test('it needs no other package, and imports nothing but Node', async () => {
  const manifest = JSON.parse(await readFile(join(app, 'node_modules/@hawser/sockets/package.json'), 'utf8')) as object
  assert.equal('dependencies' in manifest, false)
  const code = await readFile(join(app, 'node_modules/@hawser/sockets/dist/index.mjs'), 'utf8')
  const imported = [...code.matchAll(/^import .* from "([^"]+)"/gm)].map((match) => match[1] ?? '')
  assert.ok(imported.length > 0)
  assert.deepEqual(
    imported.filter((name) => !name.startsWith('node:')),
    [],
  )
})

test('a program in the folder talks to a server through it', { timeout: 30_000 }, async (t) => {
  assertNoLeaks(t)
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await writeFile(
    join(app, 'main.js'),
    `import * as sockets from '@hawser/sockets'
     const socket = sockets.connect({ hostname: '127.0.0.1', port: ${port} })
     const writer = socket.writable.getWriter()
     await writer.write('hello from a package')
     await writer.close()
     const text = await new Response(socket.readable).text()
     await socket.close()
     console.log(JSON.stringify([Object.keys(sockets).sort(), text, sockets.connect.name]))`,
  )
  try {
    const { stdout } = await run(process.execPath, ['main.js'], { cwd: app })
    const names = ['Socket', 'connect', 'createConnect', 'vpcNetwork', 'vpcService']
    assert.deepEqual(JSON.parse(stdout), [names, 'hello from a package', 'connect'])
  } finally {
    server.close()
    await once(server, 'close')
  }
})

const CONSUMER = `
import { connect, createConnect, Socket, vpcNetwork, vpcService } from '@hawser/sockets'
import type { Connect, ProxyError, SocketInfo, SocketOptions, TlsRule, VpcBinding } from '@hawser/sockets'

const rules: TlsRule[] = [{ match: '*.internal:5432', ca: 'ca.pem', verify: 'verify_ca', minVersion: 'TLSv1.3' }]
const mine: Connect = createConnect({ tls: rules })
const options: SocketOptions = { secureTransport: 'starttls', allowHalfOpen: true, signal: null, timeoutMs: 1000 }

export async function use(): Promise<string> {
  const socket: Socket = mine('db.internal:5432', options)
  const info: SocketInfo = await socket.opened
  const writer = socket.writable.getWriter()
  await writer.write('text')
  await writer.write(new Uint8Array(4))
  const { value } = await socket.readable.getReader().read()
  const length: number = value?.byteLength ?? 0
  const bytes = await socket.readable.getReader({ mode: 'byob' }).read(new Uint8Array(length))
  const secure: Socket = socket.startTls({ expectedServerHostname: 'db' })
  await secure.close()
  return info.remoteAddress + String(bytes.done) + secure.secureTransport
}

export async function through(token: string): Promise<string> {
  const office: VpcBinding = vpcNetwork({ token, network: 'office' })
  await using stock = vpcService({ token, service: 'stock', edge: 'edge.example:7846' })
  const response = await stock.fetch(new URL('http://stock/'), { method: 'POST', body: 'x', timeoutMs: 1000 })
  const socket: Socket = await office.connect('db.internal:5432', options)
  await office.connect({ hostname: 'db.internal', port: 5432 }).close()
  const error = {} as ProxyError
  return socket.secureTransport + (await response.text()) + error.code + String(error.flow)
}

// @ts-expect-error -- of a network or of a service
vpcNetwork({ token: 't' })
// @ts-expect-error -- there is no such transport
connect('a:1', { secureTransport: 'use' })
// @ts-expect-error -- sockets are made by connect()
new Socket()
// @ts-expect-error -- and have no more than workerd gives them
connect({ hostname: 'a', port: 1 }).destroy()
`

for (const [name, types] of [
  ['with the types of Node', { types: ['node'], typeRoots: [join(MODULES, '@types')], lib: ['esnext'] }],
  ['with those of the web only', { types: [], lib: ['esnext', 'dom', 'dom.asynciterable'] }],
] as const) {
  test(`its types serve a strict program ${name}`, { timeout: 60_000 }, async () => {
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'esnext', ...types }
    await writeFile(join(app, 'consumer.ts'), CONSUMER)
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
    const { stdout } = await run(process.execPath, [join(MODULES, 'typescript/bin/tsc'), '-p', app], {
      cwd: dirname(app),
    })
    assert.equal(stdout, '')
  })
}
