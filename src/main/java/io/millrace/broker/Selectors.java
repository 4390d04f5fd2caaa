package io.millrace.broker;

import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.util.Optional;

/** Selectors that do not come from a link, which can be told that they are wrong. */
final class Selectors {
    private Selectors() {}

    /** Of a subscription in the store: it was understood when it got there. */
    static Selector stored(String text) {
        try {
            return Selector.parse(text);
        } catch (SelectorException e) {
            throw new IllegalStateException(
                    "the store has a subscription with the selector \"" + text
                            + "\", which an earlier version understood and this one does not: " + e.getMessage(),
                    e);
        }
    }

    /** What is wrong with one; empty when it is right. */
    static Optional<String> fault(String text) {
        try {
            Selector.parse(text);
            return Optional.empty();
        } catch (SelectorException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** Of a rule in the config. */
    static Selector configured(String text, String from) {
        try {
            return Selector.parse(text);
        } catch (SelectorException e) {
            throw new IllegalArgumentException(
                    "forward: the selector of the rule from \"" + from + "\" is wrong " + e.getMessage(), e);
        }
    }
}
