import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { HawserError } from '@hawser/core'
import type { AuthorityOperation, FlowRecord } from '@hawser/core'
import type { ConnectCall } from '../flow/context.ts'
import { errorAnswer } from '../http/error-answer.ts'

/** S-241: any 2xx opens the Worker's socket. */
const ACCEPTED = 'HTTP/1.1 200 OK\r\n\r\n'

export interface ConnectAddress {
  readonly host: string
  readonly port: number
  readonly operation: AuthorityOperation
  readonly callId: string | undefined
}

/** A CONNECT on a Worker's connection, from its head until it is accepted or refused. */
export class SocketConnectCall implements ConnectCall {
  readonly kind = 'connect'
  readonly host: string
  readonly port: number
  readonly operation: AuthorityOperation
  readonly callId: string | undefined
  onGone: ((reason: HawserError) => void) | undefined
  readonly #socket: Socket
  /** What the Worker sent ahead. At most what came with the head and one read more: then the socket is paused. */
  #early: Buffer[]
  #waiting = true

  /** Takes over `socket`, paused. */
  constructor(socket: Socket, { host, port, operation, callId }: ConnectAddress, early: Buffer | undefined) {
    this.host = host
    this.port = port
    this.operation = operation
    this.callId = callId
    this.#socket = socket
    this.#early = early === undefined ? [] : [early]
    socket.on('data', this.#onData)
    socket.on('end', this.#onGone)
    socket.on('close', this.#onGone)
    socket.resume() // a Worker that gives up while its target is dialled is noticed only by reading
  }

  accept(): Duplex {
    this.#stopWaiting()
    const socket = this.#socket
    socket.write(ACCEPTED, 'latin1')
    for (const chunk of this.#early.toReversed()) socket.unshift(chunk)
    this.#early = []
    socket.resume() // in the next turn, when its new owner listens
    return socket
  }

  refuse(error: HawserError, flow: FlowRecord): void {
    if (!this.#waiting) return
    this.#stopWaiting()
    if (this.#socket.destroyed) return
    // workerd passes neither the status nor the body on (S-242); a person with curl reads both.
    this.#socket.end(errorAnswer(error, flow, 'CONNECT'), 'latin1')
    this.#socket.destroySoon()
  }

  #stopWaiting(): void {
    this.#waiting = false
    this.#socket.pause()
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onGone)
    this.#socket.off('close', this.#onGone)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#socket.pause()
  }

  readonly #onGone = (): void => {
    this.onGone?.(new HawserError('connection_aborted', 'the Worker gave the connection up while it was being opened'))
  }
}
