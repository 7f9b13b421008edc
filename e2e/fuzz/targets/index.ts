import type { FuzzTarget } from '../target.ts'
import { authorityTarget } from './authority.ts'
import { connectHeadTarget } from './connect-head.ts'
import { classifyTarget, hostTarget } from './host.ts'
import { workerAddressTarget, workerObjectTarget } from './worker-address.ts'

/** Every parser that reads what somebody else wrote about where to connect. */
export const TARGETS: readonly FuzzTarget[] = [
  authorityTarget(),
  hostTarget(),
  classifyTarget(),
  workerAddressTarget(),
  workerObjectTarget(),
  connectHeadTarget(),
]
