/**
 * Confinement: the {@link io.millrace.loop.Loop} on which every mutable object of the broker lives.
 *
 * <p>A connection, a queue, the address book: each belongs to one loop, is touched on no other thread, and needs no
 * lock. This package holds the port and nothing else; {@code net} implements it over a Vert.x context, tests over a
 * clock that is moved by hand.
 */
package io.millrace.loop;
