const encoder = new TextEncoder()

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** A byte for each character, as the peers report what they received. */
export function latin1(data: Uint8Array): string {
  let text = ''
  for (const byte of data) text += String.fromCharCode(byte)
  return text
}

/** `count` bytes that differ all along, so that a lost, doubled or misplaced piece shows. */
export function pattern(count: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(count)
  for (let index = 0; index < count; index += 1) data[index] = (index * 31 + (index >> 8) * 7) & 0xff
  return data
}

/** Reads until `atLeast` bytes have come or the stream has ended; what came. */
export async function readSome(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  atLeast: number,
): Promise<{ readonly text: string; readonly done: boolean }> {
  let text = ''
  while (text.length < atLeast) {
    const { value, done } = await reader.read()
    if (done) return { text, done: true }
    text += latin1(value)
  }
  return { text, done: false }
}

/** Reads `count` bytes into one array. */
export async function readExactly(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(count)
  for (let offset = 0; offset < count;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`the stream ended after ${offset} of ${count} bytes`)
    all.set(value, offset)
    offset += value.byteLength
  }
  return all
}

export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data))
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
