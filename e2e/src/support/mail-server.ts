import { TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { TestCertificate } from '@hawser/testkit'
import { tcpTarget } from './targets.ts'
import type { Target } from './targets.ts'

/** What one SMTP session was told, by whom. */
export interface Mail {
  /** As RFC 4616 has it: `\0user\0password`. */
  readonly credentials: string
  readonly message: string
}

export interface MailServer extends Target {
  readonly mails: readonly Mail[]
}

/** Who has said what, in the session under way. */
class Session {
  #encrypted = false
  #credentials = ''
  #message: string | undefined
  readonly #deliver: (mail: Mail) => void
  readonly #goSecure: () => Duplex

  constructor(deliver: (mail: Mail) => void, goSecure: () => Duplex) {
    this.#deliver = deliver
    this.#goSecure = goSecure
  }

  /** Answers lines until TLS begins, and then those that come inside it. */
  serve(stream: Duplex): void {
    let rest = ''
    const onData = (chunk: Buffer): void => {
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const answer = this.#answer(line)
        if (answer !== '') stream.write(`${answer}\r\n`)
        if (/^QUIT$/i.test(line)) stream.end()
        if (!/^STARTTLS$/i.test(line)) continue
        stream.off('data', onData)
        this.#encrypted = true
        this.serve(this.#goSecure())
      }
    }
    stream.on('data', onData)
  }

  #answer(line: string): string {
    if (this.#message !== undefined) return this.#readMessage(this.#message, line)
    const [verb = '', ...words] = line.split(' ')
    switch (verb.toUpperCase()) {
      case 'EHLO':
        return this.#encrypted ? '250-mail.example\r\n250 AUTH PLAIN' : '250-mail.example\r\n250 STARTTLS'
      case 'STARTTLS':
        return '220 go ahead'
      case 'AUTH':
        if (!this.#encrypted) return '530 Must issue a STARTTLS command first'
        this.#credentials = Buffer.from(words[1] ?? '', 'base64').toString()
        return '235 welcome'
      case 'DATA':
        this.#message = ''
        return '354 go on'
      case 'QUIT':
        return '221 bye'
      default:
        return '250 fine'
    }
  }

  #readMessage(message: string, line: string): string {
    if (line !== '.') {
      this.#message = `${message}${line}\n`
      return ''
    }
    this.#message = undefined
    this.#deliver({ credentials: this.#credentials, message })
    return '250 delivered'
  }
}

/** An SMTP server that signs people in under TLS alone (RFC 3207, RFC 4954). */
export async function startMailServer(certificate: TestCertificate): Promise<MailServer> {
  const mails: Mail[] = []
  const { certPem: cert, keyPem: key } = certificate
  const target = await tcpTarget((socket) => {
    const goSecure = (): Duplex => {
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      return secure.on('error', () => {}).on('end', () => secure.end())
    }
    socket.on('end', () => socket.end())
    socket.write('220 mail.example ESMTP\r\n')
    new Session((mail) => mails.push(mail), goSecure).serve(socket)
  })
  return Object.assign(target, { mails })
}
