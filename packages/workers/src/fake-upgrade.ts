/** For tests: a connection in the clear that may become a TLS connection, as an edge keeps it. */
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { resetStream, splice, systemCode } from '@hawser/core'

const ACCEPTED = 'HTTP/1.1 200 OK\r\n\r\n'

/** What OpenSSL says of a connection that is not TLS at all, or was cut short. */
const NO_TLS = /^ERR_SSL_|^ECONNRESET$|^EPROTO$/

export interface TlsFailure {
  readonly code: 'tls_certificate_error' | 'tls_protocol_error'
  readonly message: string
}

/** Speaks TLS to `host` over `origin`. Rejects with a {@link TlsFailure}. */
export function secure(origin: Socket, host: string, ca: string | undefined): Promise<TLSSocket> {
  const servername = isIP(host) === 0 ? host : ''
  return new Promise((resolve, reject) => {
    const tls = connect({ socket: origin, host, servername, ca })
    const fail = (error: Error): void => {
      tls.destroy()
      origin.destroy()
      const code = NO_TLS.test(systemCode(error) ?? '') ? 'tls_protocol_error' : 'tls_certificate_error'
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as documented
      reject({ code, message: error.message } satisfies TlsFailure)
    }
    tls.once('error', fail)
    tls.once('close', () => fail(new Error('the target hung up')))
    tls.once('secureConnect', () => {
      tls.off('error', fail)
      tls.on('error', () => {})
      resolve(tls)
    })
  })
}

/** Joins a Worker's connection, already accepted, and the target's. */
export function join(worker: Socket, origin: Socket | TLSSocket): void {
  splice(worker, origin, { forward: 0, backward: 0 }).catch(() => {
    resetStream(worker)
    resetStream(origin)
  })
}

/** The connection that is to carry what was TLS; it is answered when the handshake is over. */
interface Successor {
  readonly socket: Socket
  readonly host: string
  readonly refuse: (failure: { readonly code: string; readonly message?: string }) => void
}

export class FakeUpgrade {
  #worker: Socket | undefined
  #origin: Socket | undefined
  #ca: string | undefined
  #announced = false
  #ended = false
  #successor: Successor | undefined

  /** The connection in the clear is open. */
  start(worker: Socket, origin: Socket, ca: string | undefined): void {
    this.#worker = worker
    this.#origin = origin
    this.#ca = ca
    origin.pipe(worker)
    worker.pipe(origin, { end: false })
    worker.once('end', () => {
      this.#ended = true
      if (this.#announced) this.#proceed()
      else origin.end()
    })
    worker.once('close', () => {
      if (!this.#announced) origin.destroy()
    })
    origin.once('error', () => resetStream(worker))
  }

  /** False where there is nothing to upgrade. */
  announce(): boolean {
    const [worker, origin] = [this.#worker, this.#origin]
    if (this.#announced || this.#ended || worker === undefined || origin === undefined || worker.destroyed) return false
    this.#announced = true
    origin.unpipe(worker)
    origin.pause()
    worker.end()
    return true
  }

  /** May come before the connection in the clear does. */
  take(successor: Successor): void {
    this.#successor = successor
    if (this.#announced && this.#ended) this.#proceed()
  }

  fail(failure: { readonly code: string; readonly message?: string }): void {
    this.#successor?.refuse(failure)
  }

  abort(): void {
    for (const socket of [this.#worker, this.#origin]) if (socket !== undefined) resetStream(socket)
    this.fail({ code: 'connection_aborted', message: 'the Worker gave the connection up' })
  }

  #proceed(): void {
    const [origin, successor] = [this.#origin, this.#successor]
    if (origin === undefined || successor === undefined) return
    if (origin.readableEnded) {
      origin.destroy()
      this.fail({ code: 'tls_protocol_error', message: 'the target hung up' })
      return
    }
    secure(origin, successor.host, this.#ca).then((tls) => {
      successor.socket.write(ACCEPTED)
      join(successor.socket, tls)
    }, successor.refuse)
  }
}
