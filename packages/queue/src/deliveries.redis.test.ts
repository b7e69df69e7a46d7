import { testRedis } from '@procore-mirror/testing';
import { describeDeliveries } from './deliveries.contract.ts';
import { startRedis, startSilence } from './test-servers.ts';

describeDeliveries('Redis', {
  url: () => testRedis().url,
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
