import type { ProcoreClient } from '@procore-mirror/procore';

/** The same client; `onCall` is told of each call, and of each page of a list. Further tries of one call are not told. */
export function countCalls(client: ProcoreClient, onCall: () => void): ProcoreClient {
  return {
    ...client,
    get: (...call) => {
      onCall();
      return client.get(...call);
    },
    send: (...call) => {
      onCall();
      return client.send(...call);
    },
    pages: async function* (...call) {
      onCall();
      let isFirst = true;
      for await (const page of client.pages(...call)) {
        if (!isFirst) onCall();
        isFirst = false;
        yield page;
      }
    },
  };
}
