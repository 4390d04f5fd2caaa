/**
 * The load generator, {@code millrace bench}: a client of any AMQP 1.0 broker, which knows nothing of ours.
 *
 * <p>{@link io.millrace.bench.BenchCommand} is the command, {@link io.millrace.bench.Settings} what it may be told. {@link
 * io.millrace.bench.Run} leads a run through its phases on the calling thread; the work is done on event loops ({@link
 * io.millrace.bench.BenchLoop}), each with connections, links and a {@link io.millrace.bench.Tally} of its own.
 *
 * <p>Decisions:
 *
 * <ul>
 *   <li>The protocol is Proton's engine: here its sparing checks do not matter, for the peer is one that we chose, and it leaves
 *       us the message as bytes and the time of each write. The generator shares its processors with the broker that it
 *       measures, so it must be cheap. Qpid JMS and protonj2 hand each message between threads and make objects of it;
 *       vertx-proton flushes for each message, where here all output of a read is one write.
 *   <li>A message is encoded once, and only its first 24 bytes of body are written anew. Answers to consecutive deliveries are one
 *       frame, where Proton alone would write one each. Credit is topped up in quarters.
 *   <li>The time of an answer or a message is when its bytes were read, asked once per read. The time of sending is asked once for
 *       all that is sent in a turn; with a rate it is the time at which a message should have been sent, so a generator or a
 *       broker that cannot keep up shows as latency (no coordinated omission). How late messages were sent is reported, too.
 *   <li>What was accepted and what came is a bit each: losses and repetitions are counted exactly. A body has the number of its
 *       run; messages of other runs are accepted, and counted apart.
 *   <li>Two event loops by default, so that producers and consumers do not share a thread, as two programs would not.
 * </ul>
 */
package io.millrace.bench;
