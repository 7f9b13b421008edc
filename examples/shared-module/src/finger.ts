/** What both runtimes have: `connect()` of `cloudflare:sockets`, and of `@hawser/sockets` on Node. */
export type Connect = (address: string) => {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  close(): Promise<void>
}

/**
 * Asks a finger server about a user (RFC 1288). It answers and hangs up.
 *
 * @throws what `connect` gives as reasons
 */
export async function finger(connect: Connect, address: string, user: string): Promise<string> {
  const socket = connect(address)
  try {
    const writer = socket.writable.getWriter()
    await writer.write(new TextEncoder().encode(`${user}\r\n`))
    writer.releaseLock()
    return await new Response(socket.readable).text()
  } finally {
    await socket.close()
  }
}
