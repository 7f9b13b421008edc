/** Longer than any value that belongs here, and short enough for a terminal. */
const MAX_SHOWN = 120
/** base64 of `{"`. */
const TOKEN = /^eyJ./
/** In place of what is a secret. */
export const MASK = '[secret]'

/** Whether a text is, or begins like, a token: those of tunnels and of most other systems do. */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** A value as messages repeat it: short, and without what is a secret. */
export function toShown(value: unknown): string {
  const mask = (key: string, part: unknown): unknown =>
    (key === 'token' && part !== null) || (typeof part === 'string' && isToken(part)) ? MASK : part
  const text = JSON.stringify(value, mask)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
