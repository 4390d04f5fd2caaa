/**
 * Which messages a consumer wants: JMS selectors (JMS 3.1, section 3.8) and AMQP filter expressions (OASIS, version 1.0),
 * parsed once and evaluated on a message as it is stored.
 *
 * <p>{@link io.millrace.selector.Selector} is the way in. An expression is a tree of small immutable records; each gives a
 * value for a message, or, inside of this package only, null for what SQL calls unknown. Nothing in a message can make an
 * evaluation fail, and nothing in an expression can make it slow: length, nesting and patterns are bounded when it is
 * parsed.
 *
 * <p>Where JMS leaves room, we do this: two integers divide as in Java, without a fraction, and division of an integer by
 * zero is unknown; values of different kinds are never equal, and are not unequal either (section 3.8.1.3: false);
 * arithmetic on what is not a number is unknown, and so is a condition that is not a boolean.
 */
package io.millrace.selector;
