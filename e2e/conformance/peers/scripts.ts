import type { TestCertificate } from '@hawser/testkit'
import type { PeerName } from '../support/peer.ts'
import type { CertificateKind, Certificates } from './certificates.ts'
import type { PeerConnection } from './connection.ts'

/** Sets up one accepted connection. */
export type Script = (connection: PeerConnection, certificates: Certificates) => void

function echo(connection: PeerConnection): void {
  connection.onData = (chunk) => {
    const { stream } = connection
    if (stream.write(chunk)) return
    stream.pause()
    stream.once('drain', () => stream.resume())
  }
  connection.onEnd = () => connection.end()
}

/** TLS from the first byte, then an echo. */
function tlsEcho(kind: CertificateKind): Script {
  return (connection, { of }) => {
    connection.startTls(of[kind])
    echo(connection)
  }
}

/** What a server says before the client may begin. */
export const GREETING = '220 ready\r\n'
export const UPGRADE_COMMAND = 'STARTTLS\r\n'
export const UPGRADE_REPLY = '220 go ahead\r\n'

/** Greets, waits for the command, and lets `upgrade` answer it. */
function starttls(upgrade: (connection: PeerConnection, certificates: Certificates) => void): Script {
  return (connection, certificates) => {
    connection.send(GREETING)
    let text = ''
    connection.onData = (chunk) => {
      text += chunk.toString('latin1')
      if (!text.includes(UPGRADE_COMMAND)) return
      connection.onData = () => {}
      upgrade(connection, certificates)
    }
    connection.onEnd = () => connection.end()
  }
}

function upgradeWith(connection: PeerConnection, certificate: TestCertificate): void {
  connection.startTls(certificate)
  echo(connection)
}

/** A STARTTLS server that shows this certificate and then echoes. */
function starttlsEcho(kind: CertificateKind): Script {
  return starttls((connection, { of }) => {
    connection.send(UPGRADE_REPLY)
    upgradeWith(connection, of[kind])
  })
}

/** Every peer but `refuse`, which accepts nothing. */
export const scripts: Readonly<Record<Exclude<PeerName, 'refuse'>, Script>> = {
  // Does nothing by itself: the behaviour says what, and when.
  live: () => {},
  echo,
  // Keeps everything; at the end, says how much that was and ends too.
  sink: (connection) => {
    connection.onEnd = () => {
      connection.send(String(connection.report.bytes))
      connection.end()
    }
  },
  paused: (connection) => connection.pause(),
  'greet-then-end': (connection) => {
    connection.send('hello')
    connection.end()
  },
  'reset-after-first-byte': (connection) => {
    connection.onData = () => connection.reset()
  },
  'tls-echo': tlsEcho('good'),
  'tls-live': (connection, { of }) => connection.startTls(of.good),
  'tls12-live': (connection, { of }) => connection.startTls(of.good, 'TLSv1.2'),
  'tls-wrong-name': tlsEcho('wrong-name'),
  'tls-expired': tlsEcho('expired'),
  'tls-untrusted': tlsEcho('untrusted'),
  'tls-self-signed': tlsEcho('self-signed'),
  // Answers a handshake in clear.
  'tls-plaintext': (connection) => {
    connection.onData = () => connection.send('HTTP/1.1 400 Bad Request\r\n\r\n')
  },
  // Takes the first message of the handshake and never answers.
  'tls-silent': () => {},
  'tls-end': (connection) => {
    connection.onData = () => connection.end()
  },
  'tls-reset': (connection) => {
    connection.onData = () => connection.reset()
  },
  starttls: starttlsEcho('good'),
  'starttls-wrong-name': starttlsEcho('wrong-name'),
  'starttls-expired': starttlsEcho('expired'),
  'starttls-untrusted': starttlsEcho('untrusted'),
  // Agrees to the upgrade and goes on in clear.
  'starttls-clear': starttls((connection) => {
    connection.send(UPGRADE_REPLY)
    connection.onData = () => connection.send('250 still in clear\r\n')
  }),
  // The injection attack: clear text behind the reply, in one segment with it, then an honest handshake.
  'starttls-inject': starttls((connection, { of }) => {
    connection.send(`${UPGRADE_REPLY}250 injected\r\n`)
    upgradeWith(connection, of.good)
  }),
  // Agrees to the upgrade, and then says nothing more.
  'starttls-silent': starttls((connection) => {
    connection.send(UPGRADE_REPLY)
    connection.onData = () => {}
  }),
}
