/** The machine's monotonic clock, the same for all processes, in milliseconds. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
