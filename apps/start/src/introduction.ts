import { withoutPasswords } from '@procore-mirror/address';

export type Addresses = {
  /** Does it mirror Procore, and not a simulated company? */
  isReal: boolean;
  databaseUrl: string;
  /** Is the database ours, its password made by us? That of the operator is left out, and psql asks for it. */
  isEmbedded: boolean;
  receiver: string;
  procore: string;
  health: readonly string[];
  logs: string;
};

/** How to look at what runs. */
export function introduction({ isReal, databaseUrl, isEmbedded, receiver, procore, health, logs }: Addresses): string {
  const queries = [
    'select resource, rows, pending, last_event_at from mirror.freshness;',
    'select number, subject, status, updated_at from procore.rfis order by updated_at desc limit 5;',
    'select resource, kind, record_id, received_at from mirror.events order by received_at desc limit 5;',
  ];
  return `
The mirror runs.

  Procore    ${withoutPasswords(procore)}
  Receiver   ${receiver}
  Health     ${health.join('\n             ')}
  Logs       ${logs}
  Database   psql ${quoted(isEmbedded ? databaseUrl : withoutPasswords(databaseUrl, { mask: null }))}
  Try        ${queries.join('\n             ')}
  Or         npx pnpm mirror status

Ctrl-C ends all of this; the next start ${isReal ? 'continues' : 'begins with a new company'}.

`;
}

/** As a shell takes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
