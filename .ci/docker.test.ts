// docker-compose.yml and Dockerfile, as far as they can be checked without Docker.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from './imports.ts';

type Service = {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  expose?: string[];
  network_mode?: string;
  networks?: unknown;
  volumes?: string[];
  restart: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
};

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const text = read('docker-compose.yml');
const compose: { services: Record<string, Service>; volumes: Record<string, null> } = parse(text, { merge: true });
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
};
const ours = ['migrate', 'ingest', 'worker'];

test('these services run, each of ours a program that exists', () => {
  expect(Object.keys(compose.services).sort()).toEqual([...ours, 'postgres', 'redis'].sort());
  for (const name of ours) {
    const [program, file = ''] = service(name).command ?? [];
    expect(program).toBe('node');
    expect(existsSync(path.join(root, file)), file).toBe(true);
  }
});

test('Redis keeps what it acknowledged, and evicts nothing', () => {
  const command = service('redis').command?.join(' ') ?? '';
  for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction']) {
    expect(command).toContain(setting);
  }
  expect(service('redis').volumes).toContain('redis:/data');
});

test('Postgres 18 keeps its data, where the image of 18 has it, and the spool outlives its container', () => {
  expect(service('postgres').image).toBe('postgres:18');
  expect(service('postgres').volumes).toContain('postgres:/var/lib/postgresql');
  expect(service('ingest').volumes).toContain('spool:/data');
  expect(Object.keys(compose.volumes).sort()).toEqual(['postgres', 'redis', 'spool']);
});

test('every variable that our apps get is one that they know', () => {
  const known = new Set(read('.env.example').match(/[A-Z][A-Z_]+(?==)/g));
  for (const name of ours) {
    for (const variable of Object.keys(service(name).environment ?? {})) expect(known, variable).toContain(variable);
  }
});

test('secrets come from the environment, and a missing one says what to do', () => {
  const wanted = [...text.matchAll(/\$\{(\w+):\?(.+?)\}/g)].map(([, name = '', help = '']) => ({ name, help }));
  const names = new Set(wanted.map(({ name }) => name));
  for (const secret of ['POSTGRES_PASSWORD', 'WEBHOOK_AUTHORIZATION', 'PROCORE_CLIENT_ID', 'PROCORE_CLIENT_SECRET']) {
    expect(names).toContain(secret);
    expect(text).not.toMatch(new RegExp(`\\$\\{${secret}(:?-|\\})`));
  }
  for (const { name, help } of wanted) expect(help).toMatch(new RegExp(`^set ${name} to `));
});

test('the receiver is published, and nothing else', () => {
  for (const [name, { ports = [] }] of Object.entries(compose.services)) {
    expect(ports.map((port) => port.split(':').at(-1))).toEqual(name === 'ingest' ? ['3000'] : []);
  }
});

test('a scraper on the network of these services reaches the admin ports, and nobody outside does', () => {
  for (const name of ['ingest', 'worker']) {
    const { environment = {}, expose, ports = [] } = service(name);
    expect(environment.ADMIN_HOST, name).toBe('0.0.0.0');
    expect(expose, name).toEqual([String(environment.ADMIN_PORT)]);
    expect(ports.some((port) => port.includes(String(environment.ADMIN_PORT)))).toBe(false);
  }
  // Where all share one network of their own, a port that is not published ends at it.
  for (const { network_mode, networks } of Object.values(compose.services)) {
    expect([network_mode, networks]).toEqual([undefined, undefined]);
  }
});

test('what runs on has a health check, ours on its admin port; what runs once is waited for', () => {
  for (const name of ['postgres', 'redis', 'ingest', 'worker']) expect(service(name).healthcheck?.test[0]).toBe('CMD');
  for (const name of ['ingest', 'worker']) {
    const { healthcheck, environment } = service(name);
    expect(healthcheck?.test.at(-1)).toContain(`127.0.0.1:${environment?.ADMIN_PORT}/readyz`);
  }
  expect(service('migrate').restart).toBe('on-failure');
  expect(service('worker').depends_on?.migrate?.condition).toBe('service_completed_successfully');
});

test('the image runs the Node and the pnpm of the workspace, not as root, and does not deploy', () => {
  const dockerfile = read('Dockerfile');
  const manifest = JSON.parse(read('package.json'));
  expect(dockerfile).toContain(`FROM node:${manifest.devDependencies.node.split('.')[0]}-slim`);
  expect(dockerfile).toContain(`npm install --global ${manifest.packageManager}`);
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(dockerfile).not.toMatch(/^[^#]*pnpm deploy/m);
  expect(read('.dockerignore')).toMatch(/^\.env$/m);
});
