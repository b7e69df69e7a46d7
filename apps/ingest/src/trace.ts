import { randomBytes } from 'node:crypto';

const IDS = /^(?<version>[0-9a-f]{2})-(?<trace>[0-9a-f]{32})-(?<parent>[0-9a-f]{16})-[0-9a-f]{2}(?<more>-.*)?$/;
const ZEROS = /^0+$/;

/**
 * The trace id that the sender, or a proxy on the way, gave the request in its header `traceparent`
 * (https://www.w3.org/TR/trace-context/#traceparent-header); where it gave none, one of our own.
 */
export function traceOf(traceparent: string | undefined): string {
  const { version, trace = '', parent = '', more } = IDS.exec(traceparent ?? '')?.groups ?? {};
  const isNone =
    version === 'ff' || (version === '00' && more !== undefined) || ZEROS.test(trace) || ZEROS.test(parent);
  return isNone || trace === '' ? randomBytes(16).toString('hex') : trace;
}
