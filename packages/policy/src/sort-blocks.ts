const BYTE_VALUES = 256

/**
 * The order of blocks by first address, then by prefix, the larger block first; blocks that are the same stay in the order
 * given. A radix sort by bytes, least significant first: a comparator would be called twenty million times for a million
 * blocks, and nothing else runs meanwhile.
 *
 * @param starts `width` words for each block, most significant first
 * @param prefixes one for each block
 * @returns indexes of blocks
 */
export function sortBlocks(starts: Uint32Array, prefixes: Uint8Array, count: number, width: number): Uint32Array {
  let order = new Uint32Array(count)
  for (let at = 0; at < count; at += 1) order[at] = at
  let sorted = new Uint32Array(count)
  const byBytes = (bytes: Uint8Array): void => {
    if (distribute(order, sorted, bytes)) [order, sorted] = [sorted, order]
  }
  byBytes(prefixes.subarray(0, count))
  const bytes = new Uint8Array(count)
  for (let word = width - 1; word >= 0; word -= 1) {
    for (let shift = 0; shift < 32; shift += 8) {
      for (let at = 0; at < count; at += 1) bytes[at] = (starts[at * width + word] ?? 0) >>> shift
      byBytes(bytes)
    }
  }
  return order
}

/** One stable pass of the sort, by one byte of each block; false, and nothing done, where that is the same in all. */
function distribute(from: Uint32Array, to: Uint32Array, bytes: Uint8Array): boolean {
  const places = new Uint32Array(BYTE_VALUES + 1)
  for (let at = 0; at < bytes.length; at += 1) {
    const next = (bytes[at] ?? 0) + 1
    places[next] = (places[next] ?? 0) + 1
  }
  if (places.includes(bytes.length)) return false
  for (let value = 1; value < BYTE_VALUES; value += 1) places[value] = (places[value] ?? 0) + (places[value - 1] ?? 0)
  for (let at = 0; at < from.length; at += 1) {
    const block = from[at] ?? 0
    const byte = bytes[block] ?? 0
    const place = places[byte] ?? 0
    to[place] = block
    places[byte] = place + 1
  }
  return true
}
