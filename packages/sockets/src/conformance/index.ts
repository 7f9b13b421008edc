import { ADDRESS } from './address.ts'
import type { Behaviour } from './behaviour.ts'
import { CLOSE } from './close.ts'
import { ENDS, RESETS } from './endings.ts'
import { OPENING } from './opening.ts'
import { OPTIONS } from './options.ts'
import { READABLE } from './readable.ts'
import { SHAPE } from './shape.ts'
import { START_TLS } from './start-tls.ts'
import { TLS } from './tls.ts'
import { WRITABLE } from './writable.ts'

/** Every numbered behaviour there is a check for. They need nothing but `connect` and a peer, so workerd runs them as well. */
export const BEHAVIOURS: readonly Behaviour[] = [
  ...SHAPE,
  ...ADDRESS,
  ...OPTIONS,
  ...OPENING,
  ...READABLE,
  ...WRITABLE,
  ...ENDS,
  ...RESETS,
  ...CLOSE,
  ...TLS,
  ...START_TLS,
]
