import type { Peer, Way } from '../peers/peer.ts'
import type { Scope } from '../scope.ts'

/** A port that was free when it was looked up may be taken by the time a peer listens on it. */
const ATTEMPTS = 3

/** Starts a peer in a scope of its own within `scope`. @throws {Error} what the last attempt failed with */
export async function startPeer(scope: Scope, peer: Peer, targetPort: number): Promise<Way> {
  for (let attempt = 1; ; attempt += 1) {
    const own = await scope.nested()
    try {
      return await peer.start(own, targetPort)
    } catch (error) {
      await own[Symbol.asyncDispose]()
      if (attempt === ATTEMPTS || scope.signal.aborted) throw error
    }
  }
}
