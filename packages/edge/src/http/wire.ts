import type { Framing } from './body-reader.ts'
import type { RequestHead, ResponseHead } from './head.ts'
import type { RequestUrl } from './request-url.ts'

/** The request line and fields that go to the target: the URL's authority as `Host`, framing of this hop, nothing added. */
export function requestText(head: RequestHead, url: RequestUrl, framing: Framing): string {
  const { fields } = head
  let text = `${head.method} ${url.path} HTTP/1.1\r\nHost: ${url.origin.authority}\r\n${fields.forwarded}`
  if (framing === 'chunked') text += 'Transfer-Encoding: chunked\r\n'
  else if (fields.contentLength !== undefined) text += `Content-Length: ${fields.contentLength}\r\n`
  return fields.upgrade === undefined
    ? `${text}\r\n`
    : `${text}Connection: Upgrade\r\nUpgrade: ${fields.upgrade}\r\n\r\n`
}

function statusText(head: ResponseHead): string {
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields.forwarded}`
}

/**
 * The status line and fields that go to the Worker. A body that ends with its connection becomes a chunked one, so that
 * a body cut short can be told from a complete one.
 */
export function responseText(head: ResponseHead, framing: Framing): string {
  const { contentLength, chunked } = head.fields
  const text = statusText(head)
  if (framing === 'chunked' || framing === 'close') return `${text}Transfer-Encoding: chunked\r\n\r\n`
  if (head.status < 200 || head.status === 204) return `${text}\r\n`
  if (contentLength !== undefined && !chunked) return `${text}Content-Length: ${contentLength}\r\n\r\n`
  // An answer to HEAD, or a 304, says of a body that does not come what its sender said of it: perhaps nothing.
  return `${text}\r\n`
}

export function upgradeText(head: ResponseHead): string {
  const protocol = head.fields.upgrade === undefined ? '' : `Upgrade: ${head.fields.upgrade}\r\n`
  return `${statusText(head)}Connection: Upgrade\r\n${protocol}\r\n`
}
