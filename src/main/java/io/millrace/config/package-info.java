/**
 * The configuration: immutable records, read from one YAML file, every mistake in it reported at once with its line.
 *
 * <p>{@link io.millrace.config.Config} is what the rest of the broker sees, and what an application that embeds the
 * broker builds by hand; {@code ConfigFile} reads it. SnakeYAML Engine composes the document, because its nodes know
 * their lines.
 */
package io.millrace.config;
