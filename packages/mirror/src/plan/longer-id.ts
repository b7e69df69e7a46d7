import { createHash } from 'node:crypto';
import type { ProcoreEvent } from '@procore-mirror/procore';

type Content = Pick<ProcoreEvent, 'id' | 'companyId' | 'projectId' | 'resource' | 'recordId' | 'kind'>;

/** The id that an event has in the log where another one has its own (docs/procore.md: Payload versions). */
export function longerId({ id, companyId, projectId, resource, recordId, kind }: Content): string {
  const content = [companyId, projectId, resource, recordId, kind].join('/');
  return `${id}~${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
}
