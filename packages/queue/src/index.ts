export { type ConsumeOptions, consumeDeliveries, type DeliveryConsumer } from './consume-deliveries.ts';
export type { Delivery } from './delivery.ts';
export { type DeliveryQueue, type DeliveryQueueOptions, openDeliveryQueue } from './delivery-queue.ts';
export { QueueUnreachableError, UnfitQueueError, VolatileQueueError } from './errors.ts';
export { createGroupCommit } from './group-commit.ts';
