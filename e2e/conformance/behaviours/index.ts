import type { Behaviour } from '../support/behaviour.ts'
import { addressObject } from './address-object.ts'
import { address } from './address.ts'
import { close } from './close.ts'
import { concurrency } from './concurrency.ts'
import { failure } from './failure.ts'
import { halfOpen } from './half-open.ts'
import { opening } from './opening.ts'
import { options } from './options.ts'
import { readable } from './readable.ts'
import { reset } from './reset.ts'
import { scope } from './scope.ts'
import { shape } from './shape.ts'
import { starttls } from './starttls.ts'
import { tlsOn } from './tls-on.ts'
import { writable } from './writable.ts'

/** Every behaviour, in the order of the reference's sections. */
export const behaviours: readonly Behaviour[] = [
  ...shape,
  ...address,
  ...addressObject,
  ...options,
  ...opening,
  ...failure,
  ...readable,
  ...writable,
  ...halfOpen,
  ...reset,
  ...close,
  ...tlsOn,
  ...starttls,
  ...scope,
  ...concurrency,
]
