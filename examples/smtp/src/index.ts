import { connect } from 'cloudflare:sockets'
import { SmtpSession } from './smtp.ts'

interface Env {
  MAIL_HOST: string
  MAIL_USER: string
  MAIL_PASSWORD: string
}

interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Nobody may slip in another header or another command. */
function oneLine(value: string): string {
  return value.replaceAll(/[\r\n]+/g, ' ')
}

/** A line that is a dot alone would end the message (RFC 5321, section 4.5.2). */
function asData({ to, subject, text }: Mail, from: string): string {
  const body = text.replaceAll(/\r?\n/g, '\r\n').replaceAll(/^\./gm, '..')
  return `From: <${from}>\r\nTo: <${oneLine(to)}>\r\nSubject: ${oneLine(subject)}\r\n\r\n${body}\r\n.`
}

async function send(env: Env, mail: Mail): Promise<string> {
  const from = `${env.MAIL_USER}@example.com`
  const plain = connect({ hostname: env.MAIL_HOST, port: 587 }, { secureTransport: 'starttls', allowHalfOpen: false })
  const greeting = new SmtpSession(plain)
  await greeting.expect(220)
  await greeting.command('EHLO worker.example.com', 250)
  await greeting.command('STARTTLS', 220)
  greeting.release()

  const socket = plain.startTls()
  try {
    const session = new SmtpSession(socket)
    await session.command('EHLO worker.example.com', 250)
    await session.command(`AUTH PLAIN ${btoa(`\0${env.MAIL_USER}\0${env.MAIL_PASSWORD}`)}`, 235)
    await session.command(`MAIL FROM:<${from}>`, 250)
    await session.command(`RCPT TO:<${oneLine(mail.to)}>`, 250)
    await session.command('DATA', 354)
    const answer = await session.command(asData(mail, from), 250)
    await session.command('QUIT', 221)
    return answer.trim()
  } finally {
    await socket.close()
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    if (request.method !== 'POST') return new Response('POST { to, subject, text }\n', { status: 405 })
    try {
      return Response.json({ answer: await send(env, await request.json<Mail>()) })
    } catch (error) {
      return Response.json({ error: String(error) }, { status: 502 })
    }
  },
} satisfies ExportedHandler<Env>
