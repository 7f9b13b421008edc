import { setFlagsFromString } from 'node:v8'

/** Of read buffers, most of them dead, that wait for a sweep. */
const SWEEP_BYTES = 8 * 1024 * 1024
/** Together more than the young generation holds: 1 MiB, see {@link tuneHeapForBuffers}. */
const FILLERS = 160
const FILLER_LENGTH = 1_000

let tuned = false
let unsweptBytes = 0
/** Holds the last one, or the compiler would see that nobody wants any. */
const filler: unknown[] = [undefined]

/**
 * Sets V8 up for a process that moves bytes: such a process makes many small objects, each holding a buffer of up to 64 KiB
 * outside the heap. Measured on Node 24:
 *
 * - The young generation stays as small as it starts, for buffers are freed only when it is next swept: with the 16 MiB that
 *   V8 lets it grow to, a 200 MB transfer holds some 50 MiB of dead buffers.
 * - It is swept after every so many bytes that were read, see {@link countRead}. V8 by itself sweeps when so many objects have been
 *   made, and the less a chunk costs in objects, the more buffers wait: 100 MiB of those 200 MB.
 * - Dead buffers are freed at once and not by another thread, which on a busy machine comes too late.
 * - What lies outside the heap counts with the heap. By itself V8 starts to mark the whole heap at every so many bytes of
 *   buffers, dead or alive, which took a quarter of the CPU of a bulk transfer. This costs some 20 MiB of resident memory.
 *
 * Call it first thing in a process, before the heap has grown.
 */
export function tuneHeapForBuffers(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  setFlagsFromString('--external-memory-accounted-in-global-limit')
  tuned = true
}

/** Told of all that is read from the network; sweeps now and then, where {@link tuneHeapForBuffers} has been called. */
export function countRead(bytes: number): void {
  unsweptBytes += bytes
  if (unsweptBytes < SWEEP_BYTES) return
  unsweptBytes = 0
  if (tuned) sweep()
}

/**
 * Fills the young generation, which V8 then sweeps; it takes a fifth of a millisecond. V8 can be asked for a sweep too, but only by
 * the `gc` of `--expose-gc`, which exists in new contexts only, and a process that ever had a second context is a fifth slower.
 */
function sweep(): void {
  for (let made = 0; made < FILLERS; made += 1) filler[0] = Array<unknown>(FILLER_LENGTH)
  filler[0] = undefined
}
