/** `node scripts/write-error-docs.ts`: writes docs/errors.md anew. */
import { writeFile } from 'node:fs/promises'
import { ERROR_DOCS, errorDocs } from './error-docs.ts'

await writeFile(ERROR_DOCS, errorDocs())
