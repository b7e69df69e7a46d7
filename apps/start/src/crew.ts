// The processes that run together: when one of them ends by itself, all end.
import type { DataDirectory } from './data-directory.ts';
import type { Env } from './env.ts';
import { type AppName, type RunningApp, runApp } from './run-app.ts';
import type { Settings } from './settings.ts';

export type Crew = {
  /** Starts an app and waits until it is ready. */
  run: (name: AppName, settings: Settings, readyUrl: string) => Promise<void>;
  /** Something else that all depend on has failed. */
  fail: (error: Error) => void;
  /** Rejects when one has ended that was not told to. Never resolves. */
  failed: Promise<never>;
  close: () => Promise<void>;
};

export function createCrew({ env, data, signal }: { env: Env; data: DataDirectory; signal: AbortSignal }): Crew {
  const running: RunningApp[] = [];
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => {}); // whoever waits for it hears of it
  return {
    failed,
    run: async (name, settings, readyUrl) => {
      const app = await Promise.race([
        runApp({ name, env: { ...env, ...settings }, logFile: data.logFile(name), readyUrl, signal }),
        failed,
      ]);
      app.failed.catch(reject);
      running.push(app);
    },
    fail: reject,
    close: async () => {
      await Promise.all(running.map((app) => app.close()));
    },
  };
}
