/** `hawser/testing`: a Worker under test, with its private networks played by the test. */
export { startHawser } from './start-hawser.ts'
export type {
  Hawser,
  HawserOptions,
  LogLine,
  ScheduledResult,
  ServedService,
  ServeOptions,
  ServiceAddress,
  StandInOptions,
  TestNetwork,
  TestService,
  TlsOptions,
} from './hawser.ts'
export type { Flow, FlowFilter } from './flow.ts'
export type { HttpHandler, Script, ScriptStep, ServiceHandler, TcpHandler } from './service-handler.ts'
export type { RelaxedRule } from '../dev/relaxed.ts'
