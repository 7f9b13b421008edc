import type { Directory } from '@hawser/directory'

/** What a person who has just started an edge does next, by what its tunnels have come to: a line for the terminal. */
export async function nextStep({ tunnels, tunnelActivity }: Directory, dataDir: string): Promise<string> {
  const [first, ...others] = await tunnels.list()
  if (first === undefined) return `Next: hawser tunnel create <name> --data-dir ${dataDir}`
  const served = await tunnelActivity.list()
  if ([first, ...others].some(({ id }) => served.has(id))) {
    return `Connectors come back by themselves within seconds: hawser tunnel list --data-dir ${dataDir}`
  }
  const name = others.length === 0 ? first.name : '<tunnel>'
  const token = `hawser tunnel token ${name} --data-dir ${dataDir} > ${name}.token`
  return `Next: ${token}, and with it, where the private services are: hawser connector run --token-file ${name}.token`
}
