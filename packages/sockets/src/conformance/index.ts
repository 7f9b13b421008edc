import type { Behaviour } from './behaviour.ts'
export const BEHAVIOURS: readonly Behaviour[] = []
