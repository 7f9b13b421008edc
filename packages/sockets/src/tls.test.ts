import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Socket as NodeSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { assertNoLeaks, createAuthority } from '@hawser/testkit'
import { NodeHarness } from './conformance/node-harness.ts'
import { makeCertificates } from './conformance/peer.ts'
import type { PeerCertificates } from './conformance/peer.ts'
import { createConnect } from './connect.ts'
import type { Connect } from './connect.ts'

const run = promisify(execFile)

let certificates: PeerCertificates & { readonly caPem: string }
let connect: Connect

before(async () => {
  certificates = await makeCertificates(createAuthority)
  connect = createConnect({ tls: [{ match: '*', ca: certificates.caPem }] })
})

test('what was written before close() is delivered under TLS, though the tickets of the server were never read', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer({ tls: 'good' })
  const socket = connect(`localhost:${peer.port}`, { secureTransport: 'on' })
  const write = socket.writable.getWriter().write(new Uint8Array(3_000_000))
  await socket.close()
  await write
  assert.equal(await peer.count(3_000_000), 3_000_000)
  assert.equal(await peer.ended(), 'fin')
})

test('a closed TLS connection does not wait for ever for the end of its peer', async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const peer = await harness.peer({ tls: 'good' })
  const dialled: NodeSocket[] = []
  const note = (message: unknown): void => void dialled.push((message as { socket: NodeSocket }).socket)
  subscribe('net.client.socket', note)
  const socket = connect(`localhost:${peer.port}`, { secureTransport: 'on' })
  unsubscribe('net.client.socket', note)
  await socket.opened
  await peer.accepted()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  await socket.close()
  assert.equal(await peer.ended(), 'fin')
  await peer.send('nobody reads this')
  await harness.quiet()
  assert.deepEqual(
    dialled.map(({ destroyed }) => destroyed),
    [false],
  )
  t.mock.timers.tick(2000)
  assert.deepEqual(
    dialled.map(({ destroyed }) => destroyed),
    [true],
  )
})

/** Runs a program that dials a TLS server with the default trust, and gives what `opened` said. */
async function verdict(port: number, env: NodeJS.ProcessEnv): Promise<string> {
  const source = `
    import { connect } from ${JSON.stringify(import.meta.resolve('./index.ts'))}
    const socket = connect('localhost:${port}', { secureTransport: 'on' })
    console.log(await socket.opened.then(() => 'open', (error) => error.code))
    await socket.close()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, ...env },
  })
  return stdout.trim()
}

test('connect() trusts what Node trusts, with NODE_EXTRA_CA_CERTS', { timeout: 30_000 }, async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const folder = await mkdtemp(join(tmpdir(), 'hawser-sockets-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  await writeFile(file, certificates.caPem)
  const { port } = await harness.peer({ tls: 'good' })
  assert.equal(await verdict(port, {}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  assert.equal(await verdict(port, { NODE_EXTRA_CA_CERTS: file }), 'open')
})

test('and the environment cannot make it trust everything', { timeout: 30_000 }, async (t) => {
  assertNoLeaks(t)
  await using harness = new NodeHarness(certificates, connect)
  const { port } = await harness.peer({ tls: 'untrusted' })
  assert.equal(await verdict(port, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
})
