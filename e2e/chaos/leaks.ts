/** One TCP socket of a process, as `ss -tanpH` prints it. */
export interface OpenSocket {
  readonly state: string
  readonly local: string
  readonly peer: string
  readonly pid: number
}

/** Sockets that belong to no process any more, such as those in TIME-WAIT, are not listed. */
export function parseSockets(output: string): OpenSocket[] {
  return output.split('\n').flatMap((line) => {
    const [state = '', , , local = '', peer = '', owner = ''] = line.trim().split(/\s+/)
    return [...owner.matchAll(/pid=(\d+)/g)].map(([, pid]) => ({ state, local, peer, pid: Number(pid) }))
  })
}

export const TUNNEL_PORT = 7844

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

/** Connections other than those of tunnels: once all flows have ended there are none. */
export function strayConnections(sockets: readonly OpenSocket[]): OpenSocket[] {
  return sockets.filter(
    ({ state, local, peer }) => state !== 'LISTEN' && portOf(local) !== TUNNEL_PORT && portOf(peer) !== TUNNEL_PORT,
  )
}

/** Connections of tunnels. */
export function tunnelConnections(sockets: readonly OpenSocket[]): OpenSocket[] {
  const strays = new Set(strayConnections(sockets))
  return sockets.filter((socket) => socket.state !== 'LISTEN' && !strays.has(socket))
}
