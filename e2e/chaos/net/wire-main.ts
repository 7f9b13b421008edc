/**
 * A wire in user space, for kernels without netem: reads ethernet frames from one macvtap device, impairs them, and writes them to
 * another. `node wire-main.ts <seed> <device of the connector's end> <device of the edge's end> …`; a message on the channel sets
 * what happens to the frames from then on.
 */
import { openSync, read, writeSync } from 'node:fs'
import { seeded } from '../random.ts'
import { FrameQueue } from './impairment.ts'
import type { Impairment } from './impairment.ts'

/** A frame of 64 KiB, as the kernel hands over several in one, and its offload header. */
const MAX_FRAME_BYTES = 66_000
const TICK_MS = 2

let impairment: Impairment = { delayMs: 0, loss: 0, reorder: 0 }
const queues: FrameQueue[] = []

function pump(from: number, to: number, seed: number, impair: () => Impairment): void {
  const write = (frame: Uint8Array): void => {
    try {
      writeSync(to, frame)
    } catch {
      // the other end is down: what is sent there is lost
    }
  }
  const queue = new FrameQueue(write, seeded(seed))
  queues.push(queue)
  const buffer = Buffer.alloc(MAX_FRAME_BYTES)
  const next = (): void => {
    read(from, buffer, 0, buffer.length, null, (error, bytes) => {
      if (error !== null) return
      queue.add(Buffer.from(buffer.subarray(0, bytes)), impair(), performance.now())
      next()
    })
  }
  next()
}

const [seedText, ...devices] = process.argv.slice(2)
const ends = devices.map((device) => openSync(device, 'r+'))
for (let index = 0; index + 1 < ends.length; index += 2) {
  const [connector = 0, edge = 0] = ends.slice(index)
  const seed = Number(seedText) + index
  pump(connector, edge, seed, () => impairment)
  pump(edge, connector, seed + 1, () => ({ ...impairment, delayMs: 0 }))
}
setInterval(() => {
  const nowMs = performance.now()
  for (const queue of queues) queue.flush(nowMs)
}, TICK_MS)
process.on('message', (message: Impairment) => void (impairment = message))
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')) // reads that never return keep exit() from ending it
process.send?.('ready')
