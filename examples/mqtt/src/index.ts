import { checkConnack, checkPuback, connectPacket, disconnectPacket, publishPacket } from './packets.ts'

interface Env {
  PLANT: Fetcher
  BROKER: string
}

/** CONNACK and PUBACK are four bytes each, whatever pieces they come in. */
async function readFour(reader: ReadableStreamBYOBReader): Promise<Uint8Array> {
  const { value, done } = await reader.readAtLeast(4, new Uint8Array(4))
  if (done || value.byteLength < 4) throw new Error('the broker has closed the connection')
  return value
}

async function publish(env: Env, topic: string, payload: Uint8Array): Promise<void> {
  const socket = await env.PLANT.connect(env.BROKER)
  try {
    const writer = socket.writable.getWriter()
    const reader = socket.readable.getReader({ mode: 'byob' })
    await writer.write(connectPacket(`worker-${crypto.randomUUID().slice(0, 8)}`))
    checkConnack(await readFour(reader))
    await writer.write(publishPacket(1, topic, payload))
    checkPuback(await readFour(reader), 1)
    await writer.write(disconnectPacket())
    await writer.close()
  } finally {
    await socket.close()
  }
}

export default {
  async fetch(request, env): Promise<Response> {
    if (request.method !== 'POST') return new Response('POST to the topic\n', { status: 405 })
    const topic = new URL(request.url).pathname.slice(1)
    await publish(env, topic, new Uint8Array(await request.arrayBuffer()))
    return Response.json({ published: topic })
  },
} satisfies ExportedHandler<Env>
