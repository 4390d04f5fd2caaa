/**
 * The queue: a state machine owned by one loop. A command enters, facts go to the journal, the answer leaves when the
 * journal says that the facts are durable.
 *
 * <p>{@link io.millrace.queue.Target} and {@link io.millrace.queue.Source} are what links see of it;
 * {@link io.millrace.queue.Consumer} and {@link io.millrace.queue.Receipt} are what a link hands in.
 *
 * <p>Decisions:
 * <ul>
 *   <li>Priorities are lanes: each has its own head in memory and its own rest in the store, so that the order of keys is
 *       the order of delivery. A lane is made when its first message comes; a queue with one pays for one.
 *   <li>What is not the first message for everybody is found by one {@link io.millrace.queue.Search}, for selectors and
 *       groups alike: a place per consumer and lane, and reads of its own beyond memory. An index per selector was
 *       rejected: it costs each arrival, and consumers come with any selector.
 *   <li>A message that is taken ahead of what is loaded is remembered by its lane until its removal is durable and the reads
 *       that had begun by then have ended ({@link io.millrace.queue.Reads}), for a read shows the store as it was.
 *   <li>Only who gets a message goes to the end of the line. With turns for those that want nothing of what is there, a
 *       selective consumer may never have its turn when what it wants comes.
 *   <li>Groups are told apart by a hash, so that their number needs no limit, and no forgetting that would break their order.
 *       A consumer that comes frees all groups: those at rest at once, the others when they are settled.
 *   <li>A queue that keeps what is consumed has one lane, for its readers are shown the order of arrival.
 *   <li>Room is made by dropping the oldest message of the lowest priority.
 *   <li>Senders are slowed down to the pace of brisk consumers ({@link io.millrace.queue.Pace}). Without that a sender that is a
 *       little faster fills the memory in seconds: 1:1 transient with 1 KiB and a heap of 1 GiB, clients on the same two cores,
 *       went from 363,000/s and 3.2 us of CPU a message to 554,000/s and 1.1 us, pre-settled from 237,000/s and 6.3 us to
 *       534,000/s and 1.5 us, and the time in the queue from 60 to 5 ms. Slow consumers hold nobody up for more than an instant.
 *       Those that stop for a second and are brisk again lose the backlog while the sender goes on: 230,000/s for good became
 *       570,000/s after ten seconds.
 *   <li>What finds no room waits in line ({@link io.millrace.queue.Hold}), and its sender is told so by
 *       {@link io.millrace.queue.Receipt#held}, an answer between none and the last: a link then grants no more, a connection
 *       does not count its bytes, a proxy neither. Telling links by {@code room()} was rejected: a link would have to be called
 *       back, and a queue that is full for days would gather calls of links long gone. So a full queue has room for one, and
 *       credit comes with each answer.
 *   <li>A line is in order of arrival on the loop, whoever waits, so that a publication which waited in another line has its
 *       place in the next. A small message does not overtake a large one.
 *   <li>Memory is shared by what is left ({@link io.millrace.queue.MemoryBudget}): whoever wants more may have a part of it, so
 *       no message costs a look at other queues, and nothing is taken back from anyone. Fixed shares were rejected: an eighth for
 *       each of a thousand queues is far more than there is, and far less than the only busy one could use; so were always 256 KiB
 *       for each consumer, and a first message for each queue, which 100 of them turned into an OutOfMemoryError.
 *   <li>A message that somebody waits for is read only if it may be handed over, for what is in memory and waits for memory waits
 *       for ever; what is there already is handed to whoever holds nothing.
 *   <li>A transaction does not wait for room, for what it settles makes none before it has ended.
 * </ul>
 *
 * <p><b>Time.</b> What comes in passes {@code Arrivals}. A message that is to be delivered later, or rests after a failed
 * attempt, is in the store only, in a lane of its own in order of due time ({@code Schedule}), from which one alarm moves it
 * to its place; {@code ScheduledMessages} lists and cancels. {@code DueOrder} asks the store before it gives a place that may
 * have been taken before a restart; counting from zero again was rejected, because two messages in one place are one lost.
 * {@code Expiry} knows the next deadline: a heap for what is available in memory, the store's own order for the rest.
 * {@code LastValues} and {@code Identities} remember what was there before.
 */
package io.millrace.queue;
