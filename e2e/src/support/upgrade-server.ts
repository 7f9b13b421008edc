import { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import type { TestCertificate } from '@hawser/testkit'
import { tcpTarget } from './targets.ts'
import type { Target } from './targets.ts'
import { GO_SECURE } from './upgrade-protocols.ts'
import type { UpgradeProtocol } from './upgrade-protocols.ts'

/** What a server does that is asked for TLS. */
export interface UpgradeScript {
  readonly certificate: TestCertificate
  /** Does not go over to TLS, in the way of its protocol. */
  readonly refuses?: boolean
  /** Agrees, and answers the client's hello in clear. */
  readonly answersInClear?: boolean
  /** Sends bytes in clear before a proper handshake: in one segment with the agreement, or when the client's hello is there. */
  readonly injects?: 'with the agreement' | 'ahead of the handshake'
}

export interface UpgradeServer extends Target {
  /** The first words of the client inside TLS. Must stay empty where the handshake must fail. */
  secrets(): string
}

/** Reads in clear up to the request for TLS, of which nothing may be read too far. */
function untilAsked(socket: Socket, protocol: UpgradeProtocol, asked: () => void): void {
  let said = ''
  const onData = (chunk: Buffer): void => {
    said += chunk.toString('latin1')
    const answer = protocol.answer(said)
    if (answer === undefined) return
    if (answer !== GO_SECURE) return void socket.write(answer, 'latin1')
    socket.off('data', onData)
    socket.pause()
    asked()
  }
  socket.on('data', onData)
}

/** A server of one protocol that follows a script when it is asked for TLS, and never signs anybody in. */
export async function startUpgradeServer(protocol: UpgradeProtocol, script: UpgradeScript): Promise<UpgradeServer> {
  let secrets = ''
  const { agreement, injected, refusal } = protocol
  const speakTls = (socket: Socket): void => {
    const { certPem: cert, keyPem: key } = script.certificate
    const secure = new TLSSocket(socket, { isServer: true, cert, key })
    secure.on('error', () => socket.destroy())
    secure.on('end', () => secure.end())
    secure.on('data', (chunk: Buffer) => {
      secrets += chunk.toString('latin1')
      secure.end() // answers nothing: whatever the driver takes for an answer was said before
    })
  }
  const answerHello = (socket: Socket): void => {
    socket.once('data', () => socket.end(injected, 'latin1')).resume()
  }
  const injectAheadOf = (socket: Socket, handshake: () => void): void => {
    socket.once('readable', () => {
      socket.write(injected, 'latin1') // the hello stays where it is
      handshake()
    })
  }
  const target = await tcpTarget((socket) => {
    socket.on('end', () => socket.end())
    socket.write(protocol.greeting(script.refuses !== true || refusal !== undefined), 'latin1')
    untilAsked(socket, protocol, () => {
      if (script.refuses === true) return void socket.resume().write(refusal ?? '', 'latin1')
      socket.write(script.injects === 'with the agreement' ? agreement + injected : agreement, 'latin1')
      if (script.answersInClear === true) return answerHello(socket)
      if (script.injects === 'ahead of the handshake') return injectAheadOf(socket, () => speakTls(socket))
      return speakTls(socket)
    })
  })
  return Object.assign(target, { secrets: () => secrets })
}
