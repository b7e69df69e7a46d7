/** One HTTP attempt to give us an event: the bytes as they came, and when. */
export type Delivery = { body: Buffer; receivedAt: Date };
