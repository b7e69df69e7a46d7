import { spawnSync } from 'node:child_process';

/** Makes sure that `redis-server` is on the path; installs Debian's when that needs no password. Returns what is wrong, or null. */
export function ensureRedisServer(say: (line: string) => void): string | null {
  if (succeeds('redis-server', ['--version'])) return null;
  const isRoot = process.getuid?.() === 0;
  const prefix = isRoot ? [] : ['sudo', '-n'];
  if (!succeeds('apt-get', ['--version']) || (!isRoot && !succeeds('sudo', ['-n', 'true'])))
    return 'redis-server is missing, and installing it needs a password or another package manager. On Debian and Ubuntu: sudo apt-get install -y redis-server';
  say('redis-server is missing; installing it with apt-get');
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
    runs([...prefix, ...install, 'redis-server']) ||
    (runs([...prefix, 'apt-get', 'update', '-q']) && runs([...prefix, ...install, 'redis-server']));
  return isDone && succeeds('redis-server', ['--version'])
    ? null
    : 'redis-server is missing, and apt-get could not install it (see above)';
}

function succeeds(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

function runs([program = '', ...args]: string[]): boolean {
  return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
