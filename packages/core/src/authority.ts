/**
 * What a Worker's runtime module writes into the authority of a CONNECT. The request carries no headers (S-248), and its
 * authority is free text of letters, digits and `-._[]:` up to 255 bytes (S-020), so the operation travels there:
 *
 *     <host>.<op>-<id>-<capability>.hawser:<port>
 *
 * This file runs inside workerd as well as in the edge: no Node built-ins here.
 */

/**
 * `c`: open a connection. `s`: open one and speak TLS on it. `u`: open one that may be upgraded to TLS later. `t`: upgrade
 * the `u` connection of the same id; the host is the name its certificate must bear.
 */
export type AuthorityOperation = 'c' | 's' | 'u' | 't'

export interface Authority {
  /** As the Worker wrote it; IPv6 literals keep their brackets. */
  readonly host: string
  readonly port: number
  readonly operation: AuthorityOperation
  /** Names this call when its module asks what became of it. Letters and digits, chosen by the module. */
  readonly id: string
  /** 32 hexadecimal digits known to one binding's module and to the edge, never to the Worker's own code. */
  readonly capability: string
}

/** Names under this suffix belong to the conversation between module and edge; they are never dialled. */
export const RESERVED_SUFFIX = '.hawser'
/** S-020. */
export const MAX_AUTHORITY_LENGTH = 255
/** Host of the request by which a module asks for the outcome of one of its calls: `GET http://flows.hawser/<id>`. */
export const FLOWS_HOST: string = `flows${RESERVED_SUFFIX}`
/** Response header by which the edge tells a module that the answer is its own and what went wrong. Never from a target. */
export const ERROR_HEADER = 'hawser-error'

const pattern = /^(.*)\.([a-z])-([a-z0-9]{1,32})-([0-9a-f]{32})\.hawser:(\d{1,5})$/s

/** The authority text, or undefined where it would exceed {@link MAX_AUTHORITY_LENGTH}. */
export function formatAuthority(authority: Authority): string | undefined {
  const { host, operation, id, capability, port } = authority
  const text = `${host}.${operation}-${id}-${capability}${RESERVED_SUFFIX}:${port}`
  return text.length > MAX_AUTHORITY_LENGTH ? undefined : text
}

/** Reads what {@link formatAuthority} wrote; undefined for any other text. */
export function parseAuthority(text: string): Authority | undefined {
  if (text.length > MAX_AUTHORITY_LENGTH) return undefined
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, host = '', operation = '', id = '', capability = '', digits = ''] = match
  const port = Number(digits)
  if (!isOperation(operation) || port > 65_535) return undefined
  return { host, operation, id, capability, port }
}

function isOperation(letter: string): letter is AuthorityOperation {
  return letter === 'c' || letter === 's' || letter === 'u' || letter === 't'
}
