/**
 * An AMQP message kept as the bytes received, and the words for what became of it.
 *
 * <p>A {@link io.millrace.message.Message} is immutable. Its sections are found by stepping over their encodings, never
 * by decoding them; the bare message goes out as it came in, byte for byte (AMQP 1.0, part 3, section 3.2).
 * {@link io.millrace.message.Outcome} and {@link io.millrace.message.Condition} are plain values, so that the core can
 * speak of them without knowing the protocol engine.
 */
package io.millrace.message;
