export { startEdge } from './start-edge.ts'
export type { Edge } from './edge.ts'
export type { EdgeOptions } from './options.ts'
export type { FlowCounters } from './flow/record.ts'
