/** workerd's own sockets module; only internal modules of a Worker's configuration may import it. */
declare module 'cloudflare-internal:sockets' {
  const sockets: {
    connect(address: SocketAddress | string, options?: SocketOptions): Socket
  }
  export default sockets
}
