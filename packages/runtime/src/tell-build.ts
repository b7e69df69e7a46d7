import { Gauge, type Registry } from 'prom-client';

/** Which version of which app runs, on which Node. */
export function tellBuild(registry: Registry, { app, version }: { app: string; version: string }): void {
  const build = new Gauge({
    name: 'procore_mirror_build_info',
    help: 'Always 1; its labels tell which version of which app runs.',
    labelNames: ['app', 'version', 'node'],
    registers: [registry],
  });
  build.set({ app, version, node: process.versions.node }, 1);
}
