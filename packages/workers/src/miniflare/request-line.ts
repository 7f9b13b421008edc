import { stripVTControlCharacters } from 'node:util'

/** A request that the Worker has answered. */
export interface AnsweredRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly status: number
  /** Milliseconds until its head was there. */
  readonly ms: number
}

/** `GET /path 200 OK (12ms)`, coloured or not. The path comes escaped, so that it holds no blanks. */
const LINE = /^([A-Z]+) (\/\S*) (\d{3}) .*\((\d+)ms\)$/

/** Reads Miniflare's line about a request; undefined for any other line. */
export function parseRequestLine(text: string): AnsweredRequest | undefined {
  const match = LINE.exec(stripVTControlCharacters(text))
  if (match === null) return undefined
  const [, method = '', path = '', status, ms] = match
  return { method, path, status: Number(status), ms: Number(ms) }
}
