import { HawserError } from '@hawser/core'

/** Characters, as people count them: code points. */
export const MAX_NAME_LENGTH = 100

/** Line breaks, terminal escapes, direction overrides and the like: names end up in tables, logs and pages. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/**
 * The name as given, if it is one that lists and logs can show.
 *
 * @param field what is being named, for the message: `tunnel name`
 * @throws {HawserError} `options_invalid`
 */
export function checkName(name: string, field: string): string {
  const length = Array.from(name).length
  if (name.trim() === '') throw invalid(field, 'must not be empty')
  if (length > MAX_NAME_LENGTH) throw invalid(field, `must have at most ${MAX_NAME_LENGTH} characters, got ${length}`)
  if (!name.isWellFormed() || UNPRINTABLE.test(name)) throw invalid(field, 'must not contain control characters')
  if (name !== name.trim()) throw invalid(field, 'must not begin or end with a blank')
  return name
}

/** Characters of a comment. */
const MAX_COMMENT_LENGTH = 500

/**
 * A comment as given, if lists can show it. It may be empty.
 *
 * @throws {HawserError} `options_invalid`
 */
export function checkComment(comment: string): string {
  const length = Array.from(comment).length
  if (length > MAX_COMMENT_LENGTH)
    throw invalid('comment', `must have at most ${MAX_COMMENT_LENGTH} characters, got ${length}`)
  if (!comment.isWellFormed() || UNPRINTABLE.test(comment))
    throw invalid('comment', 'must not contain control characters')
  return comment
}

function invalid(field: string, rule: string): HawserError {
  return new HawserError('options_invalid', `${field}: ${rule}`)
}
