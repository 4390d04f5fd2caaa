package io.millrace.selector;

import java.util.List;
import java.util.stream.Collectors;

/** Several filters of one link, all of which must pass a message. */
record Conjunction(List<Selector> selectors) implements Selector {
    Conjunction {
        selectors = List.copyOf(selectors);
    }

    @Override
    public boolean matches(Candidate candidate) {
        for (Selector selector : selectors) {
            if (!selector.matches(candidate)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String text() {
        return selectors.stream().map(Selector::text).collect(Collectors.joining(" AND "));
    }
}
