export { assertNoLeaks } from './leaks.ts'
export { CapturedLog } from './log.ts'
export type { CapturedLine } from './log.ts'
