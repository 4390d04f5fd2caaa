/**
 * The queue: a state machine owned by one loop. A command enters, facts go to the journal, the answer leaves when the
 * journal says that the facts are durable.
 *
 * <p>{@link io.millrace.queue.Target} and {@link io.millrace.queue.Source} are what links see of it;
 * {@link io.millrace.queue.Consumer} and {@link io.millrace.queue.Receipt} are what a link hands in.
 */
package io.millrace.queue;
