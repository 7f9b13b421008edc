import { answer } from '../envelope.ts'
import type { ApiResource } from '../resource.ts'

/** `/user/tokens`: says whether the token at hand is good. One that is not never gets here. */
export function tokens(): ApiResource {
  return {
    errors: {},
    routes: [
      {
        path: '/user/tokens/verify',
        methods: { GET: (c) => answer(c, { id: c.get('apiToken').id, status: 'active' }) },
      },
    ],
  }
}
