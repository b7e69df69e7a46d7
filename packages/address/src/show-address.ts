import { AddressError } from './errors.ts';
import { readPostgresAddress } from './postgres-address.ts';
import { readRedisAddress } from './redis-address.ts';

/** Is this the address of a Postgres? If not it is that of a Redis, or none. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/i.test(url);
}

/** For people: host, port and database, without user and password. Never throws. */
export function serverOf(url: string): string {
  try {
    if (isPostgres(url)) {
      const { host, port, database } = readPostgresAddress(url);
      return `${joined({ host: host ?? 'localhost', port: port ?? 5432 })}${behind(database)}`;
    }
    const address = readRedisAddress(url);
    const nodes = address.nodes.map(joined).join(',');
    if (address.kind === 'cluster') return nodes;
    return `${nodes}${behind(address.kind === 'sentinel' ? address.name : address.db)}`;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    return 'an address that cannot be read';
  }
}

function joined({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') && !host.startsWith('/') ? `[${host}]` : host}:${port}`;
}

function behind(name: string | number | undefined): string {
  return name === undefined || name === 0 ? '' : `/${name}`;
}
