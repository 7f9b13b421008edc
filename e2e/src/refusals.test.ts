import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { createAuthority } from '@hawser/testkit'
import { EDGE_SERVER_NAME, formatTunnelToken, parseTunnelToken, TUNNEL_ALPN } from '@hawser/tunnel'
import { Secret } from '@hawser/core'
import { hawser } from './support/process.ts'
import type { Program } from './support/process.ts'
import { startStack } from './support/stack.ts'
import type { Stack } from './support/stack.ts'

/** Sends `bytes`, and waits until the other side has closed the connection. */
async function sendGarbage(address: string, bytes: Buffer): Promise<void> {
  const [host = '', port = ''] = address.split(':')
  const socket = connect({ host, port: Number(port) })
  socket.on('error', () => {}) // a reset is as good a refusal as an end
  socket.resume()
  socket.write(bytes)
  await once(socket, 'close')
}

function linesLike(program: Program, pattern: RegExp): string[] {
  return program.lines.filter((line) => pattern.test(line))
}

describe('what does not belong is refused, logged once, and harms nothing', { timeout: 120_000 }, () => {
  let stack: Stack
  before(async () => {
    stack = await startStack()
  })
  after(() => stack[Symbol.asyncDispose]())

  const stillWorks = async (): Promise<void> => {
    const answer = (await (await stack.ask('/half-close', { target: '127.0.0.1:1' })).json()) as { code?: string }
    assert.equal(answer.code, 'connection_refused') // through edge, tunnel and connector and back
  }

  test('garbage on the tunnel listener', async () => {
    const before = linesLike(stack.edge, /WARN|"warn"|level":40/i).length
    await sendGarbage(stack.tunnelAddress, randomBytes(4096))
    await stillWorks()
    assert.equal(linesLike(stack.edge, /WARN|"warn"|level":40/i).length - before, 1)
  })

  test('garbage on the API listener', async () => {
    await sendGarbage(stack.apiAddress, Buffer.from('\0\0\0\0 not http \r\n\r\n'))
    await stillWorks()
  })

  test('an unknown ALPN on the tunnel listener', async () => {
    const [host = '', port = ''] = stack.tunnelAddress.split(':')
    const before = linesLike(stack.edge, /WARN|"warn"|level":40/i).length
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['smtp'] })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    assert.match(error.message, /no application protocol|alert|ECONNRESET/i)
    await stillWorks()
    assert.equal(linesLike(stack.edge, /WARN|"warn"|level":40/i).length - before, 1)
  })

  test('a token with the wrong secret', async () => {
    const token = parseTunnelToken(stack.token)
    const forged = formatTunnelToken({ ...token, secret: new Secret(randomBytes(32).toString('base64')) })
    await using connector = hawser(['connector', 'run', '--edge', stack.tunnelAddress], { HAWSER_TUNNEL_TOKEN: forged })
    assert.equal(await connector.exited, 1) // a token that was never accepted is for a person to look at
    assert.match(connector.lines.at(-2) ?? '', /^hawser: .*\(tunnel_auth_failed\)$/)
    assert.match(connector.lines.at(-1) ?? '', /hawser tunnel token/) // what to do next
    const logged = linesLike(
      stack.edge,
      /refused a connection.*tunnel_auth_failed|tunnel_auth_failed.*refused a connection/,
    )
    assert.equal(logged.length, 1, logged.join('\n'))
    assert.ok(!connector.lines.join('\n').includes(forged), 'the token must not be printed')
    await stillWorks()
  })

  test('a text that is no token ends the connector with code 2 and without echoing it', async () => {
    await using connector = hawser(['connector', 'run'], { HAWSER_TUNNEL_TOKEN: 'hunter2-not-a-token' })
    assert.equal(await connector.exited, 2)
    const output = connector.lines.join('\n')
    assert.match(output, /token_invalid/)
    assert.ok(!output.includes('hunter2'), output)
  })

  test('an edge with an expired certificate is refused by the connector', async () => {
    const authority = await createAuthority()
    const day = 86_400_000
    const expired = await authority.issue({
      names: [EDGE_SERVER_NAME],
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
    })
    const server = createTlsServer({ cert: expired.certPem, key: expired.keyPem, ALPNProtocols: [TUNNEL_ALPN] })
    server.on('tlsClientError', () => {})
    server.on('secureConnection', (socket) => socket.on('error', () => {}))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const edge = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const token = formatTunnelToken({ ...parseTunnelToken(stack.token), caPem: authority.caPem, edges: [edge] })
    await using connector = hawser(['connector', 'run'], { HAWSER_TUNNEL_TOKEN: token })
    await connector.line(/edge_certificate_error/)
    assert.equal(linesLike(connector, /edge_certificate_error/).length, 1)
    await connector.kill('SIGTERM')
    server.close()
  })
})
