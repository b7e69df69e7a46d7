import { createTestRedis } from '@procore-mirror/testing';
import { beforeAll } from 'vitest';
import { describeDeliveries } from './deliveries.contract.ts';
import { startRedis, startSilence } from './test-servers.ts';

let url: string;
beforeAll(async () => {
  url = await createTestRedis();
});

describeDeliveries('Redis', {
  url: () => url,
  async outage() {
    const redis = await startRedis(['--appendonly', 'yes']);
    return {
      url: redis.url,
      takeAway: redis.kill,
      bringBack: redis.start,
      silence: async () => redis.freeze(),
      endSilence: async () => redis.thaw(),
      close: redis.close,
    };
  },
  async silence() {
    const silence = await startSilence();
    return { url: `redis://127.0.0.1:${silence.port}`, close: silence.close };
  },
});
