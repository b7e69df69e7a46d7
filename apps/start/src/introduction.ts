import { withoutPasswords } from '@procore-mirror/address';

export type Addresses = {
  databaseUrl: string;
  /** Is the database ours, its password made by us? That of the operator is left out, and psql asks for it. */
  isEmbedded: boolean;
  receiver: string;
  procore: string;
  health: readonly string[];
  logs: string;
};

/** How to look at what runs. At 80 columns none of its lines wraps, unless an address or a path is long. */
export function introduction({ databaseUrl, isEmbedded, receiver, procore, health, logs }: Addresses): string {
  const queries = [
    'select resource, rows, pending, last_event_at from mirror.freshness;',
    'select number, subject from procore.rfis order by updated_at desc limit 5;',
    'select resource, kind from mirror.events order by received_at desc limit 5;',
  ];
  return `
The mirror runs. Ctrl-C ends it; the next start continues.

  Procore   ${withoutPasswords(procore)}
  Receiver  ${receiver}
  Health    ${health.join(' ')}
  Logs      ${logs}
  Status    npx pnpm mirror status

  psql ${quoted(isEmbedded ? databaseUrl : withoutPasswords(databaseUrl, { mask: null }))}
  ${queries.join('\n  ')}

`;
}

/** As a shell takes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
