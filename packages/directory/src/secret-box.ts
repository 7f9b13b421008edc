import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { HawserError, Secret } from '@hawser/core'

/** Bytes of an AES-256 key. */
export const KEY_BYTES = 32

const CIPHER = 'aes-256-gcm'
/** First byte of a sealed value, so that a later format can be told apart. */
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES

/**
 * Encrypts secrets for keeping. A sealed value is base64 of: format byte, random nonce (12), tag (16), ciphertext of
 * AES-256-GCM. It opens only under the owner it was sealed for, so moving it to another row breaks it.
 */
export class SecretBox {
  readonly #key: KeyObject

  /** @throws {HawserError} `options_invalid` if `key` is not 32 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new HawserError('options_invalid', `key: expected ${KEY_BYTES} bytes, got ${key.length}`)
    }
    this.#key = createSecretKey(key)
  }

  /** @param owner what the secret belongs to, authenticated with it: a tunnel's id */
  seal(secret: Secret, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(owner))
    const body = [cipher.update(secret.reveal(), 'utf8'), cipher.final()]
    return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), ...body]).toString('base64')
  }

  /** @throws {HawserError} `storage_failed` for another key, another owner, or an altered value */
  open(sealed: string, owner: string): Secret {
    const bytes = Buffer.from(sealed, 'base64')
    if (bytes.length < HEADER_BYTES || bytes[0] !== FORMAT) throw unreadable(owner)
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(1, 1 + NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(Buffer.from(owner))
    decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, HEADER_BYTES))
    try {
      const body = Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES)), decipher.final()])
      return new Secret(body.toString('utf8'))
    } catch (error) {
      throw unreadable(owner, error)
    }
  }
}

function unreadable(owner: string, cause?: unknown): HawserError {
  return new HawserError('storage_failed', `the stored secret of ${owner} cannot be decrypted`, { cause })
}
