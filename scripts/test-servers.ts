import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Programs that tests run, each of the Debian package of its name. */
const servers = ['redis-server', 'pgbouncer'];

/** Makes sure that the servers are there; installs Debian's when that needs no password. Returns what is wrong, or null. */
export function ensureServers(say: (line: string) => void): string | null {
  const missing = servers.filter((server) => !isThere(server));
  if (missing.length === 0) return null;
  const names = missing.join(' ');
  const verb = missing.length === 1 ? 'is' : 'are';
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot ? [] : ['sudo', '-n'];
  if (!succeeds('apt-get', ['--version']) || (!isRoot && !succeeds('sudo', ['-n', 'true'])))
    return `${names} ${verb} missing, and installing needs a password or another package manager. On Debian and Ubuntu: sudo apt-get install -y ${names}`;
  say(`${names} ${verb} missing; installing with apt-get`);
  // Installed for its program only: nothing is started by it.
  const install = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'RUNLEVEL=1',
    'apt-get',
    'install',
    '-y',
    '-q',
    '--no-install-recommends',
  ];
  const isDone =
    runs([...prefix, ...install, ...missing]) ||
    (runs([...prefix, 'apt-get', 'update', '-q']) && runs([...prefix, ...install, ...missing]));
  return isDone && missing.every(isThere)
    ? null
    : `${names} ${verb} missing, and apt-get could not install it (see above)`;
}

/** Debian keeps some servers where only root looks for programs. */
function isThere(server: string): boolean {
  return succeeds(server, ['--version']) || succeeds(path.join('/usr/sbin', server), ['--version']);
}

function succeeds(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function runs([program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
