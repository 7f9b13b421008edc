import { answer } from '../envelope.ts'
import { pageOf } from '../paging.ts'
import type { ApiOptions, ApiResource } from '../resource.ts'

/** `/accounts`: the directory is the only one. Clients that are told no account id pick it by themselves. */
export function accounts({ directory }: ApiOptions): ApiResource {
  const account = { id: directory.accountId, name: 'Hawser', type: 'standard', settings: {} }
  return {
    errors: {},
    routes: [
      {
        path: '/accounts',
        methods: {
          GET: (c) => {
            const { items, info } = pageOf(c, [account])
            return answer(c, items, info)
          },
        },
      },
    ],
  }
}
