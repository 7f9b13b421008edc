import type { DriverEntry } from '../matrix.ts'

/** A Worker with one driver in it, answering. */
export interface WorkerSite extends AsyncDisposable {
  readonly url: string
}

/** What runs the Workers: Hawser, or workerd alone. */
export interface WorkerHost extends AsyncDisposable {
  start(entry: DriverEntry): Promise<WorkerSite>
}
