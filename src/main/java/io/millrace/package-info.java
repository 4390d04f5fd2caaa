/**
 * Millrace, an AMQP 1.0 message broker. A queue is a state machine owned by one event loop: a command enters, facts go to
 * the journal, and the answer leaves when the journal says that the facts are durable.
 *
 * <p><b>Publish.</b> Bytes come from an {@link io.millrace.net.AmqpListener} to an
 * {@link io.millrace.amqp.AmqpConnection}, whose engine makes transfers of them; an incoming link puts a transfer together
 * and offers the {@link io.millrace.message.Message} to a {@link io.millrace.queue.Target}, which it got from
 * {@link io.millrace.broker.Nodes} when it was attached. The {@link io.millrace.queue.Queue} behind it admits the message
 * or refuses it, gives it its place, and records {@link io.millrace.journal.Fact.MessageStored}. At the end of the loop's
 * turn the {@link io.millrace.queue.Recorder} hands all facts of that turn to the {@link io.millrace.journal.Journal} as
 * one batch. When that is on disk, the {@link io.millrace.queue.Receipt} is called, and the link sends
 * {@link io.millrace.message.Outcome#ACCEPTED}.
 *
 * <p><b>Consume.</b> An outgoing link attaches itself as {@link io.millrace.queue.Consumer} to a
 * {@link io.millrace.queue.Source} and passes on its peer's credit. The queue keeps the head of its messages in memory and
 * has the journal read what follows, ahead of need; its dispatcher gives messages, the oldest first, to consumers with credit
 * in turn, until the socket of a consumer drains no more.
 *
 * <p><b>Settle.</b> The peer's disposition becomes an {@link io.millrace.message.Outcome} and reaches the queue through the
 * source. Accepted: {@link io.millrace.journal.Fact.MessageRemoved}. Released: back to its place. Modified, or the connection
 * lost: the failed attempt is recorded, and the message goes back to its place, or, after too many of them or when rejected,
 * to the dead-letter queue as one {@link io.millrace.journal.Fact.MessageMoved}. Nobody waits for the disk, unless the peer
 * asked to.
 *
 * <p><b>Recover.</b> {@link io.millrace.main.Millrace} opens the {@link io.millrace.journal.h2.H2Journal}, which finds the
 * newest commit that is whole and knows, for each queue, its number, address and depth without reading a message. The
 * {@link io.millrace.broker.Broker} makes the queues again, each on its loop, and links are let in. Messages are read when
 * consumers come. Live work and recovery know the same facts.
 *
 * <p><b>Commit.</b> A peer declares a transaction through a link to the coordinator, and gets an id from
 * {@link io.millrace.broker.Nodes}. What it sends in it waits in its queues, which have told it whether they would take it;
 * what it settles in it belongs to the transaction and no more to the consumer. When the peer discharges it, each loop's
 * {@link io.millrace.queue.Branch} asks its queues for their facts: messages get their places, removals are written down. All
 * facts of all loops go to the journal as one batch, and when that is durable messages are seen, and the peer is told. If one
 * queue refuses, or the link to the coordinator is lost, or nothing happens for too long, all is rolled back: what was sent is
 * forgotten, and what was settled goes back to its place, with one more failed attempt.
 */
package io.millrace;
