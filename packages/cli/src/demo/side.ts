/** Set to `private` in the environment of the demo's second process, which plays the private network. */
export const SIDE_VARIABLE = 'HAWSER_DEMO_SIDE'

/** What the demo's parent process sends to the process that plays the private network. */
export interface PrivateSideOrder {
  readonly token: string
  readonly database: number
  readonly inventory: number
}

/** What comes back once the connector is connected. */
export interface PrivateSideReady {
  readonly database: number
  readonly inventory: number
}
