import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { assertNoLeaks } from '@hawser/testkit'

const run = promisify(execFile)

/** Runs a program that has `connect` and a `port` where nobody listens, and gives what it printed. */
async function program(body: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const source = `
    import { createServer } from 'node:net'
    import { once } from 'node:events'
    import { connect } from ${JSON.stringify(import.meta.resolve('./index.ts'))}
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address()
    server.close()
    await once(server, 'close')
    process.on('unhandledRejection', (error) => console.log('unhandled: ' + error.message.slice(0, 30)))
    const socket = connect('127.0.0.1:' + port)
    ${body}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, ...env },
  })
  return stdout.trim()
}

test('S-054 nobody has to look at opened, closed, close() and the promises of the streams', async (t) => {
  assertNoLeaks(t)
  const body = `
    const [reader, writer] = [socket.readable.getReader(), socket.writable.getWriter()]
    void [socket.opened, socket.closed, reader.closed, writer.closed, writer.ready]
    socket.close(); socket.close()`
  assert.equal(await program(body), '')
})

test('S-054 promises made of them, and reads and writes that reject, are the business of who made them', async (t) => {
  assertNoLeaks(t)
  assert.equal(await program('socket.opened.then(() => {})'), 'unhandled: proxy request failed, cannot c')
  assert.equal(await program('socket.closed.then(() => {})'), 'unhandled: proxy request failed, cannot c')
  assert.equal(await program('socket.readable.getReader().read()'), 'unhandled: Stream was cancelled.')
  assert.equal(await program("socket.writable.getWriter().write('x')"), 'unhandled: jsg.Error: proxy request faile')
})

test('a read that waits keeps the process alive until it is answered', async (t) => {
  assertNoLeaks(t)
  const body = `
    const peer = createServer({ allowHalfOpen: true }, (connection) => setImmediate(() => connection.end('answer')))
    peer.listen(0, '127.0.0.1')
    await once(peer, 'listening')
    const open = connect('127.0.0.1:' + peer.address().port)
    await open.opened
    peer.unref()
    const { value } = await open.readable.getReader().read()
    console.log(new TextDecoder().decode(value))
    await open.close()`
  assert.equal(await program(body), 'answer')
})
