import { encodeCommand, ReplyReader } from './resp.ts'
import type { Reply } from './resp.ts'

interface Env {
  PRIVATE: Fetcher
  REDIS: string
}

/** Sends all commands at once and reads as many replies: one round trip. */
async function redis(env: Env, ...commands: readonly string[][]): Promise<Reply[]> {
  const socket = await env.PRIVATE.connect(env.REDIS)
  try {
    const writer = socket.writable.getWriter()
    for (const command of commands) await writer.write(encodeCommand(command))
    const reader = new ReplyReader(socket.readable)
    const replies: Reply[] = []
    while (replies.length < commands.length) replies.push(await reader.read())
    return replies
  } finally {
    await socket.close()
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    const key = new URL(request.url).pathname.slice(1)
    if (request.method === 'PUT') {
      const [stored, visits] = await redis(env, ['SET', key, await request.text()], ['INCR', `${key}:writes`])
      return Response.json({ stored, writes: visits })
    }
    const [value, keys] = await redis(env, ['GET', key], ['MGET', key, 'nobody'])
    return Response.json({ value, keys }, { status: value === null ? 404 : 200 })
  },
} satisfies ExportedHandler<Env>
