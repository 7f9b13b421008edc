/** Certificates and keys that `hawser.jsonc` names, read and tried before anything runs with them. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { systemCode } from '@hawser/core'

/** What is wrong with a file, as the end of a sentence that begins with its name. */
export class BadPem extends Error {}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
}

/** @throws {BadPem} */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = systemCode(error) ?? ''
    throw new BadPem(READ_FAILURES[code] ?? `it cannot be read (${code})`)
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs

/**
 * Every certificate in a file.
 *
 * @throws {BadPem}
 */
export function certificates(pem: string): [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(CERTIFICATE) ?? []
  const found = blocks.map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch {
      throw new BadPem(`certificate ${index + 1} of ${blocks.length} in it is damaged`)
    }
  })
  const [first, ...rest] = found
  if (first === undefined) throw new BadPem('there is no PEM certificate in it (-----BEGIN CERTIFICATE-----)')
  return [first, ...rest]
}

/** @throws {BadPem} */
export function privateKey(pem: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new BadPem('there is no PEM private key in it (-----BEGIN PRIVATE KEY-----)')
  }
  if (pem.includes('ENCRYPTED')) throw new BadPem('the private key in it is encrypted; store it without a passphrase')
  try {
    return createPrivateKey(pem)
  } catch {
    throw new BadPem('the private key in it is damaged')
  }
}
