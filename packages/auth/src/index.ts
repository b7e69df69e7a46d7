export type { AccessToken } from './access-token.ts';
export { type Auth, createAuth } from './create-auth.ts';
export { AuthError } from './errors.ts';
export { type Pauses, pauseBeforeProbeMs, pauses } from './pause-before-probe.ts';
