import type { ErrorCode } from '@hawser/core'

/** Who meets an error: code in a Worker, a connector, the `hawser` command, or a client of the v4 API. */
export type Reader = 'Worker' | 'connector' | 'command' | 'API'

/** What docs/errors.md says of a code beside what the table of codes says itself. */
export interface Advice {
  readonly readers: readonly Reader[]
  /** What to do about it, in one or two sentences. */
  readonly remedy: string
}

/** One line for each code; a code without one is a type error here, and a failing test. */
export const ADVICE: Readonly<Record<ErrorCode, Advice>> = {
  connection_refused: {
    readers: ['Worker'],
    remedy: 'Start the service, or correct the port. The address is that of the machine with the connector.',
  },
  connection_terminated: {
    readers: ['Worker'],
    remedy: 'Open a new connection. If it comes back, the log of the target says why it hangs up.',
  },
  connection_timeout: {
    readers: ['Worker'],
    remedy: 'Look for a firewall that drops packets between connector and target; or give `timeoutMs` more room.',
  },
  connection_limit_reached: {
    readers: ['Worker', 'connector'],
    remedy: 'Close connections that are no longer used; or raise `limits.connections` in `hawser.jsonc`.',
  },
  destination_unavailable: {
    readers: ['Worker', 'connector'],
    remedy:
      'Start a connector for the tunnel: `hawser connector run`. If one runs, its log says what it could not reach.',
  },
  destination_not_found: {
    readers: ['Worker'],
    remedy: 'Correct the id in the wrangler file, or the port of the VPC Service: nothing of that name is known.',
  },
  destination_ip_prohibited: {
    readers: ['Worker'],
    remedy:
      'Reach private addresses through a binding, or name one as `egress`. Through a tunnel: `--allow` of the connector.',
  },
  destination_ip_unroutable: {
    readers: ['Worker'],
    remedy: 'Give the machine with the connector a route to the address.',
  },
  proxy_loop_detected: {
    readers: ['Worker'],
    remedy: 'Do not call the edge through itself: the address is one of its own listeners.',
  },
  dns_error: {
    readers: ['Worker'],
    remedy: 'Correct the name. Through a tunnel it is the machine with the connector that resolves it.',
  },
  dns_timeout: {
    readers: ['Worker'],
    remedy: 'Look at the resolver of the machine that resolves: the connector for a tunnel, else the edge.',
  },
  tls_protocol_error: {
    readers: ['Worker'],
    remedy: 'Does the port speak TLS, from the start or after StartTLS, of 1.2 or newer? Bytes in clear break it too.',
  },
  tls_certificate_error: {
    readers: ['Worker'],
    remedy:
      'Name the CA, the server name or the client certificate under `tls` in `hawser.jsonc`. The message says what was wrong.',
  },
  http_request_error: {
    readers: ['Worker', 'command'],
    remedy: 'Use an absolute `http:` or `https:` URL.',
  },
  http_upgrade_failed: {
    readers: ['Worker'],
    remedy: 'The target does not speak the protocol that was asked for with `Upgrade`.',
  },
  http_request_denied: {
    readers: ['Worker'],
    remedy: 'A policy of the network says no; whoever runs it can say why.',
  },
  http_protocol_error: {
    readers: ['Worker', 'command'],
    remedy:
      'What listens there is no HTTP/1.1 server, or sends headers beyond the limit. Use `connect()` for other protocols.',
  },
  http_response_incomplete: {
    readers: ['Worker'],
    remedy: 'Ask again. If it comes back, the log of the target says why it stops in mid-answer.',
  },
  connection_read_timeout: {
    readers: ['Worker', 'API'],
    remedy: 'Send the whole request, or the whole greeting, in one go.',
  },
  connection_write_timeout: {
    readers: ['Worker'],
    remedy: 'Read what the other side sends, or it cannot take more.',
  },
  rate_limited: {
    readers: ['Worker', 'command'],
    remedy: 'Wait, and ask less often.',
  },
  proxy_internal_error: {
    readers: ['Worker', 'connector', 'command', 'API'],
    remedy: 'A fault of Hawser: please report it, with the log line of the flow.',
  },
  destination_port_prohibited: {
    readers: ['Worker'],
    remedy: 'Send mail by a submission port (587 with StartTLS, 465), or through a tunnel.',
  },
  address_invalid: {
    readers: ['Worker', 'command'],
    remedy: 'Write `host:port`, IPv6 in brackets, the port from 1 to 65535.',
  },
  connection_aborted: {
    readers: ['Worker'],
    remedy: 'Nothing: the caller closed it, or its request ended.',
  },
  tunnel_auth_failed: {
    readers: ['connector'],
    remedy: 'Fetch the token again: `hawser tunnel token <name>`. The tunnel was deleted, or belongs to another edge.',
  },
  tunnel_protocol_error: {
    readers: ['Worker', 'connector'],
    remedy: 'Run edge and connector of the same release; if they are, report it.',
  },
  tunnel_closed: {
    readers: ['Worker', 'connector'],
    remedy: 'Open a new connection: the connector reconnects by itself.',
  },
  tunnel_timeout: {
    readers: ['Worker', 'connector'],
    remedy: 'Look at the network between connector and edge. The connector reconnects by itself.',
  },
  tunnel_stream_limit: {
    readers: ['Worker', 'connector'],
    remedy: 'Close connections that are no longer used, or run one more connector for the tunnel.',
  },
  tunnel_connector_limit: {
    readers: ['connector'],
    remedy: 'Stop a connector that is no longer needed: `hawser tunnel info <name>` lists them.',
  },
  tunnel_window_exceeded: {
    readers: ['Worker', 'connector'],
    remedy: 'Run edge and connector of the same release; if they are, report it.',
  },
  edge_unreachable: {
    readers: ['connector', 'command'],
    remedy: 'Start the edge, and see that its tunnel port can be reached from here: `--advertise`, firewall, name.',
  },
  edge_certificate_error: {
    readers: ['connector'],
    remedy:
      'Fetch the token again: it pins the CA of the edge. If that does not help, somebody else answers at this address.',
  },
  options_invalid: {
    readers: ['command', 'API'],
    remedy: 'The message names the option, what was given and what is allowed.',
  },
  config_invalid: {
    readers: ['command'],
    remedy: 'The message gives file, line and column, what stands there and what is allowed.',
  },
  bundle_failed: {
    readers: ['command'],
    remedy: 'Correct the code of the Worker at the place that the message shows, or install the package it lacks.',
  },
  runtime_failed: {
    readers: ['command'],
    remedy: 'The lines of workerd above it say why. Try `npm rebuild workerd` where it does not start at all.',
  },
  token_invalid: {
    readers: ['connector', 'command'],
    remedy: 'Copy the whole token that `hawser tunnel token <name>` prints into `HAWSER_TUNNEL_TOKEN`.',
  },
  listen_failed: {
    readers: ['command'],
    remedy: 'Choose another port, or end the program that has it.',
  },
  storage_failed: {
    readers: ['command'],
    remedy: 'See that the folder of `--data-dir` exists, is yours to write, and has room.',
  },
  unauthorized: {
    readers: ['command', 'API'],
    remedy: 'Give an API token of this edge; on its own machine the command finds one by `--data-dir`.',
  },
  not_found: {
    readers: ['command', 'API'],
    remedy: 'Correct the name or the id.',
  },
  conflict: {
    readers: ['command', 'API'],
    remedy: 'Choose another name, or end what uses the object first.',
  },
}
