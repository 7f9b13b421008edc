/** The three ways in which the drivers ask a server for TLS: what each side says in clear, to the byte. */

export type Driver = 'pg' | 'mysql2' | 'nodemailer'

/** The client has asked for TLS. */
export const GO_SECURE: unique symbol = Symbol('go secure')

export interface UpgradeProtocol {
  readonly driver: Driver
  /** What a server says first, by whether it offers TLS. */
  greeting(offersTls: boolean): string
  /**
   * Reads all that the client has said so far.
   *
   * @returns the answer to its last words; {@link GO_SECURE} when they ask for TLS; undefined while they are incomplete
   */
  answer(said: string): string | typeof GO_SECURE | undefined
  /** What a server says that goes over to TLS now. */
  readonly agreement: string
  /** What it says, asked for TLS, when it does not want to; undefined where the greeting alone decides. */
  readonly refusal: string | undefined
  /** What somebody on the way would like the driver to take for an answer of the encrypted session. */
  readonly injected: string
  /** All that the client may ever say in clear. */
  readonly clear: RegExp
}

/** PostgreSQL: one message, one byte in reply ("SSL Session Encryption" in its manual). */
const SSL_REQUEST = '\0\0\0\x08\x04\xd2\x16\x2f'

const postgres: UpgradeProtocol = {
  driver: 'pg',
  greeting: () => '',
  answer: (said) => (said === SSL_REQUEST ? GO_SECURE : undefined),
  agreement: 'S',
  refusal: 'N',
  injected: 'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', // AuthenticationOk, ReadyForQuery
  // oxlint-disable-next-line no-control-regex -- it is a binary protocol
  clear: /^\0\0\0\x08\x04\xd2\x16\x2f$/,
}

const MYSQL = { longPassword: 1, protocol41: 0x200, ssl: 0x800, secureConnection: 0x8000, pluginAuth: 0x80000 } as const
const MYSQL_HEADER_BYTES = 4
/** Capabilities, longest packet, character set and 23 bytes of nothing. */
const MYSQL_SSL_REQUEST_BYTES = 32

function mysqlPacket(sequence: number, body: Buffer): string {
  const header = Buffer.from([body.length & 0xff, body.length >> 8, 0, sequence])
  return Buffer.concat([header, body]).toString('latin1')
}

/** Protocol::HandshakeV10. */
function mysqlGreeting(offersTls: boolean): string {
  const base = MYSQL.longPassword | MYSQL.protocol41 | MYSQL.secureConnection | MYSQL.pluginAuth
  const capabilities = offersTls ? base | MYSQL.ssl : base
  const body = Buffer.alloc(1 + 7 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 + 13 + 22)
  let at = body.write('\x0a8.0.36\0', 0, 'latin1')
  at = body.writeUInt32LE(1, at)
  at += body.write('saltsalt\0', at, 'latin1')
  at = body.writeUInt16LE(capabilities & 0xffff, at)
  at = body.writeUInt8(0x21, at)
  at = body.writeUInt16LE(2, at)
  at = body.writeUInt16LE(capabilities >> 16, at)
  at = body.writeUInt8(21, at) + 10
  at += body.write('saltsaltsalt\0', at, 'latin1')
  body.write('mysql_native_password\0', at, 'latin1')
  return mysqlPacket(0, body)
}

/** MySQL: the client answers the greeting with half a login, and goes over at once. */
const mysql: UpgradeProtocol = {
  driver: 'mysql2',
  greeting: mysqlGreeting,
  answer: (said) => (said.length >= MYSQL_HEADER_BYTES + MYSQL_SSL_REQUEST_BYTES ? GO_SECURE : undefined),
  agreement: '',
  refusal: undefined,
  injected: mysqlPacket(2, Buffer.from([0, 0, 0, 2, 0, 0, 0])), // OK: signed in
  // oxlint-disable-next-line no-control-regex -- it is a binary protocol
  clear: /^\x20\0\0\x01[^]{32}$/,
}

/** SMTP: RFC 3207. */
const smtp: UpgradeProtocol = {
  driver: 'nodemailer',
  greeting: () => '220 mail.example ESMTP\r\n',
  answer(said) {
    if (!said.endsWith('\r\n')) return undefined
    const last = said.slice(0, -2).split('\r\n').at(-1) ?? ''
    if (/^EHLO /i.test(last)) return '250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n'
    return /^STARTTLS$/i.test(last) ? GO_SECURE : '502 not before TLS\r\n'
  },
  agreement: '220 go ahead\r\n',
  refusal: '454 TLS is not available\r\n',
  injected: '250-mail.example\r\n250 AUTH PLAIN\r\n235 signed in\r\n',
  clear: /^(?:EHLO [^\r\n]+\r\n)(?:STARTTLS\r\n)?(?:QUIT\r\n)?$/,
}

export const UPGRADE_PROTOCOLS: readonly UpgradeProtocol[] = [postgres, mysql, smtp]

export function protocolOf(driver: Driver): UpgradeProtocol {
  return { pg: postgres, mysql2: mysql, nodemailer: smtp }[driver]
}
