import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What V8 can be asked to collect. */
export interface Collection {
  /** `minor` sweeps the young generation alone. */
  readonly type: 'minor' | 'major'
  readonly execution: 'sync'
  /** With `last-resort` V8 gives back the pages too that it would keep for the next growth. */
  readonly flavor?: 'last-resort'
}

/** Read since the last sweep. */
let unsweptBytes = 0
let collect: ((collection: Collection) => void) | undefined

/** Of read buffers, most of them dead, that wait for a sweep. */
const SWEEP_BYTES = 8 * 1024 * 1024
const SWEEP: Collection = { type: 'minor', execution: 'sync' }

/** V8's collector, as documented for `node --expose-gc`, for whoever decides at run time. */
export function collector(): (collection: Collection) => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as (collection: Collection) => void
}

/**
 * Sets V8 up for a process that moves bytes: such a process makes many small objects, each holding a buffer of up to 64 KiB
 * outside the heap. Measured on Node 24:
 *
 * - The young generation stays as small as it starts: with the 16 MiB that V8 lets it grow to, short connections are no
 *   faster, and what is read waits longer in dead buffers.
 * - It is swept after every so many bytes that were read, see {@link countRead}. V8 by itself sweeps when so many objects have been
 *   made, and the less a chunk costs in objects, the more buffers wait: 100 MiB of a transfer of 200. Dead buffers are freed
 *   at once and not by another thread, which on a busy machine comes too late; with both, some 35 MiB wait.
 * - What lies outside the heap counts with the heap. By itself V8 starts to mark the whole heap at every so many bytes of
 *   buffers, dead or alive, which took a quarter of the CPU of a bulk transfer. This costs some 20 MiB of resident memory.
 *
 * Call it first thing in a process, before the heap has grown.
 */
export function tuneHeapForBuffers(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  setFlagsFromString('--external-memory-accounted-in-global-limit')
  collect = collector()
}

/** Told of all that is read from the network; sweeps now and then, where {@link tuneHeapForBuffers} has been called. */
export function countRead(bytes: number): void {
  unsweptBytes += bytes
  if (unsweptBytes < SWEEP_BYTES) return
  unsweptBytes = 0
  collect?.(SWEEP)
}
