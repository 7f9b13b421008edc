import type { RelaxedRule } from '../dev/relaxed.ts'
import type { Flow, FlowFilter } from './flow.ts'
import type { ServiceHandler } from './service-handler.ts'

/** What stands in for networks and services, as the keys of these names in `hawser.jsonc`. */
export interface StandInOptions {
  /** For public hosts: `{ hosts: { 'db.example.com:5432': '127.0.0.1:55432' } }` */
  readonly egress?: { readonly hosts: Readonly<Record<string, string>> } | undefined
  /** `{ MY_VPC: { hosts: { 'db.internal:5432': '127.0.0.1:55432' } } }` */
  readonly networks?: Readonly<Record<string, { readonly hosts: Readonly<Record<string, string>> }>> | undefined
  /** `{ MY_SVC: { host: '127.0.0.1', httpPort: 8080 } }` */
  readonly services?: Readonly<Record<string, ServiceAddress>> | undefined
}

/** The host and ports that a VPC Service is registered with. */
export interface ServiceAddress {
  /** A name or an address, without a port. */
  readonly host: string
  /** For `http:` URLs. */
  readonly httpPort?: number | undefined
  /** For `https:` URLs. */
  readonly httpsPort?: number | undefined
  /** For `connect()`. */
  readonly tcpPort?: number | undefined
}

/** How Hawser speaks TLS to a private target: as an entry of `"tls"` in `hawser.jsonc`, with PEM text in place of files. */
export interface TlsOptions {
  /** `db.internal:5432`, a host with all its ports, or `*.svc.internal`. */
  readonly match: string
  /** Trusted in place of the public CAs. */
  readonly ca?: string | undefined
  /** What is shown of this side (mTLS): both or neither. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** @default 'verify_full' */
  readonly verify?: 'verify_full' | 'verify_ca' | 'disabled' | undefined
  /** In place of the name that the Worker used. */
  readonly serverName?: string | undefined
}

/** What `startHawser` is told. */
export interface HawserOptions extends StandInOptions {
  /** A wrangler configuration file, or the folder it is in. */
  readonly config: string
  /** A name under `env` of the configuration. */
  readonly env?: string | undefined
  /** Set for this run; they win over those of the configuration. */
  readonly vars?: Readonly<Record<string, string>> | undefined
  /** These come before those of `hawser.jsonc`; the first that matches counts. */
  readonly tls?: readonly TlsOptions[] | undefined
  /** Rules of production to turn off, as `hawser dev --relaxed` does. */
  readonly relaxed?: readonly RelaxedRule[] | undefined
}

/** One line that the Worker, or something on its behalf, has logged. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  /** `worker` for its console. */
  readonly source: string
  readonly message: string
}

/** How a cron trigger went. */
export interface ScheduledResult {
  /** `ok`, or `exception` where the handler threw or there is none. */
  readonly outcome: string
  /** Whether the handler asked not to be run again. */
  readonly noRetry: boolean
}

/** A private service that the test plays. Disposing ends it, and its address is again what it was before. */
export interface ServedService extends AsyncDisposable {
  /** Where it listens in truth, on 127.0.0.1. */
  readonly port: number
  close(): Promise<void>
}

/** How a service is served. */
export interface ServeOptions {
  /** PEM: the service speaks TLS with this certificate. @default plain TCP */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

/** The private network behind a binding of `vpc_networks`, or the public side. */
export interface TestNetwork {
  /**
   * Serves an address of it: `5432` for that port of every host, `db.internal:5432`, `*.svc.internal:80`, or a host with
   * all its ports. Calls wait until it listens; of two that fit, the one that says more counts, then the later one.
   */
  serve(target: number | string, handler: ServiceHandler, options?: ServeOptions): Promise<ServedService>
}

/** The service behind a binding of `vpc_services`. */
export interface TestService {
  /** Answers all calls of the binding. */
  serve(handler: ServiceHandler, options?: ServeOptions): Promise<ServedService>
}

/** A Worker under test, with the private networks it reaches. */
export interface Hawser extends AsyncDisposable {
  /** Where the Worker answers, without a path: `http://127.0.0.1:49152`. */
  readonly url: string
  /** Sends a request to the Worker, whatever host it names. Redirects are not followed unless asked for. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** Runs the Worker's `scheduled()`. */
  scheduled(cron: string, time?: Date): Promise<ScheduledResult>
  /** The calls that left the Worker, oldest first; those under way are waited for, up to a second. */
  flows(filter?: FlowFilter): Promise<readonly Flow[]>
  /** The one call that fits, waited for; rejects with a list of what there was, where there is none or more than one. */
  flow(filter?: FlowFilter): Promise<Flow>
  /** What was logged so far, oldest first. */
  logs(): readonly LogLine[]
  /** The public side: what the global `connect()`, `node:net` and `fetch()` reach without a binding. */
  readonly egress: TestNetwork
  /** Throws `options_invalid` for a binding that the Worker does not have. */
  network(binding: string): TestNetwork
  /** Throws `options_invalid` for a binding that the Worker does not have. */
  service(binding: string): TestService
  /** Ends everything now. Rejects with what handlers threw and scripts did not see, once all is closed. Idempotent. */
  close(): Promise<void>
}
