package io.millrace.queue;

/**
 * How a queue stands. Counters count since the start of the broker.
 *
 * @param address its address
 * @param messages in the queue, acquired ones included
 * @param bytes their sizes as received
 * @param held those that wait for room, unanswered, and are not in the queue
 * @param unsettled acquired by consumers
 * @param parked refused by every consumer there is (modified, undeliverable-here)
 * @param scheduled those in the queue that wait for their time
 * @param consumers attached, browsers not counted
 * @param enqueued taken in
 * @param dequeued accepted by consumers
 * @param redelivered delivered more than once
 * @param deadLettered moved to the dead-letter queue
 * @param discarded dropped to make room, or rejected where there is no dead-letter queue
 * @param expired not consumed before their time was over
 * @param refused not taken in, because of a limit
 * @param oldestArrivalMillis when the first message available in memory came, in milliseconds since 1970; 0 if none
 */
public record QueueStats(
        String address,
        long messages,
        long bytes,
        long held,
        long unsettled,
        long parked,
        long scheduled,
        long consumers,
        long enqueued,
        long dequeued,
        long redelivered,
        long deadLettered,
        long discarded,
        long expired,
        long refused,
        long oldestArrivalMillis) {}
