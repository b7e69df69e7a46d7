// Run by deliveries.contract.ts in a process of its own: takes deliveries, says so, and never finishes one.
import { consumeDeliveries } from './index.ts';

const [, , url = '', namespace = ''] = process.argv;
await consumeDeliveries({
  url,
  namespace,
  allowVolatile: false,
  concurrency: 8,
  record: async ({ body }) => {
    console.log(body.toString());
    await new Promise(() => {});
  },
  onWarning: () => {},
  onError: console.error,
});
