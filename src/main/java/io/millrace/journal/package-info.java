/**
 * What the broker keeps: {@link io.millrace.journal.Fact facts}, appended in batches to a
 * {@link io.millrace.journal.Journal} that calls back when they are durable.
 *
 * <p>Facts say what happened, never what was asked. Applying them is pure: no clock, no randomness, no config. Nothing
 * here or above may know what stores them; {@code journal.h2} is one store, {@code InMemoryJournal} (in the tests) is
 * another, and a replicated log is meant to be a third.
 */
package io.millrace.journal;
