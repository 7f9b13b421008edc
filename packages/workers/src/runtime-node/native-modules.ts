/** workerd's own modules, in whose place ours stand: for everything that needs no connection. */
import type * as Net from 'node:net'
import process from 'node:process'
import type * as Tls from 'node:tls'

/** @internal only a lookup by this function does not lead back to ours */
export const nativeNet: typeof Net = process.getBuiltinModule('node:net')

export const nativeTls: typeof Tls = process.getBuiltinModule('node:tls')
