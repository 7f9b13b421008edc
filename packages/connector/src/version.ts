/** Told to the edge; the same for every package of a release. */
export const VERSION = '0.1.0'
