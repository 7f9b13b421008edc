/** `@hawser/edge/local`: an edge inside one developer's machine, without what it takes to run tunnels. */
export { startLocalEdge } from './local-edge.ts'
export type { LocalEdge, LocalEdgeOptions } from './local-edge.ts'
export { RELAXABLE_RULES, relaxableRule } from './flow/relaxed-egress.ts'
export type { RelaxableRule } from './flow/relaxed-egress.ts'
export { ClientDialer } from './clients/client-dialer.ts'
export { parseClientToken } from './clients/client-token.ts'
export type { ClientToken } from './clients/client-token.ts'
