import type { Program } from './process.ts'

const INTERVAL_MS = 50

/** Watches how far the resident memory of running programs rises above where it stood at the start, in MiB. */
export function watchMemory(programs: readonly Program[]): { stop(): number[] } {
  const start = programs.map((program) => program.residentMiB())
  const peak = [...start]
  const sample = (): void => {
    for (const [index, program] of programs.entries()) {
      if (!program.ended) peak[index] = Math.max(peak[index] ?? 0, program.residentMiB())
    }
  }
  const timer = setInterval(sample, INTERVAL_MS)
  return {
    stop() {
      clearInterval(timer)
      sample()
      return peak.map((value, index) => value - (start[index] ?? 0))
    },
  }
}
