/** `hawser:runtime`: takes what is hidden in `env` out of it, for the other modules that stand beside the Worker's own. */
import { env } from 'cloudflare:workers'
import type { Connect, Egress, OpenConnection } from './egress.worker.ts'
import type { Enter } from './invocations.worker.ts'

/** Also in `miniflare/vpc.ts`, which binds it; long, because a Worker's own names share the namespace. */
const EGRESS_BINDING = '__HAWSER_EGRESS__'

const bindings = env as Record<string, unknown>
const egress = bindings[EGRESS_BINDING] as Egress
// The entry module imports this one before any of the user's, so that nothing of it is left in any `env`.
delete bindings[EGRESS_BINDING]

/** Public egress, or the network that the configuration names in its place. */
export const connect: Connect = egress.connect

/** The same for `node:net` and `node:tls`. */
export const openConnection: OpenConnection = egress.openConnection

/** See {@link Enter}. */
export const enter: Enter = egress.enter
