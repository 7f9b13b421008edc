/** The class of our `node:net`, which is a module of its own at run time: there must be one such class, not two. */
import { Socket as Shared } from 'node:net'
import type { Socket as OurSocket } from './socket.ts'

/** See `socket.ts`. */
export const Socket: typeof OurSocket = Shared as unknown as typeof OurSocket
export type Socket = OurSocket
