/** What the Worker uses of workerd; its own types would clash with those of Node, which the rest of the folder needs. */
declare module 'cloudflare:sockets' {
  export function connect(address: unknown, options?: unknown): object
}
