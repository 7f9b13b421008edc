import { connect } from 'cloudflare:sockets'

const MESSAGE = new Uint8Array(64).fill(0x66)

/** Opens a connection, exchanges one message each way and closes it. */
async function exchange(open, address) {
  const socket = await open(address)
  const writer = socket.writable.getWriter()
  const reader = socket.readable.getReader()
  await writer.write(MESSAGE)
  let received = 0
  while (received < MESSAGE.length) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`a reply of ${received} bytes`)
    received += value.length
  }
  await socket.close()
  return new Response('ok\n')
}

/** The binding where there is one; else what workerd itself offers. */
// oxlint-disable-next-line import/no-default-export -- what makes a module a Worker
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url)
    if (pathname === '/connect') {
      const open = env.PRIVATE ? (address) => env.PRIVATE.connect(address) : connect
      return exchange(open, env.ECHO)
    }
    const response = env.PRIVATE ? await env.PRIVATE.fetch(env.HTTP) : await fetch(env.HTTP)
    return new Response(await response.text(), { status: response.status })
  },
}
