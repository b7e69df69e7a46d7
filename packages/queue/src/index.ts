export { type ConsumeOptions, consumeDeliveries, type DeliveryConsumer } from './consume-deliveries.ts';
export { type DeliveryQueue, type DeliveryQueueOptions, openDeliveryQueue } from './delivery-queue.ts';
export { type Envelope, readLabel, type SealedEnvelope, writeLabel } from './envelope.ts';
export { QueueUnreachableError, UnfitQueueError, VolatileQueueError } from './errors.ts';
export { createGroupCommit } from './group-commit.ts';
export { lookAtRedis } from './redis-backend.ts';
