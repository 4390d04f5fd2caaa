package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.selector.Selector;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * The forwarding rules of the config. Immutable.
 *
 * <p>Every address that a rule speaks of lives on the home loop, so a message and all its copies are one batch of the journal,
 * in a transaction or without. A rule applies to what is sent to an address by a link, by another rule or as a dead letter.
 */
final class Forwardings {
    private final List<Rule> rules;
    private final Set<String> destinations = new LinkedHashSet<>();

    private record Rule(TopicPattern from, List<String> to, Optional<Selector> selector, boolean divert) {
        boolean takes(Publication publication) {
            return selector.isEmpty() || selector.get().matches(publication);
        }
    }

    Forwardings(Config config) {
        rules = config.forwardings().stream()
                .map(given -> new Rule(
                        new TopicPattern(given.from()),
                        given.to(),
                        given.selector().map(text -> Selectors.configured(text, given.from())),
                        given.divert()))
                .toList();
        rules.forEach(rule -> destinations.addAll(rule.to()));
    }

    /** Where messages are forwarded to. */
    Set<String> destinations() {
        return destinations;
    }

    /** Whether any rule speaks of this address. */
    boolean concern(String address) {
        return destinations.contains(address) || leadFrom(address);
    }

    boolean leadFrom(String address) {
        return !rules.isEmpty()
                && !Address.temporary(address)
                && rules.stream().anyMatch(rule -> rule.from().matches(address));
    }

    /**
     * The route of an address with its rules applied.
     *
     * @param own where its messages go without them
     * @param others the routes of other addresses, as far as they are there
     */
    Route routeFrom(String address, Route own, Function<String, Optional<Route>> others) {
        if (!leadFrom(address)) {
            return publication -> {
                if (publication.visit(address)) {
                    own.collect(publication);
                }
            };
        }
        List<Rule> from =
                rules.stream().filter(rule -> rule.from().matches(address)).toList();
        return publication -> {
            if (!publication.visit(address)) {
                return;
            }
            boolean diverted = false;
            for (Rule rule : from) {
                if (rule.takes(publication)) {
                    diverted |= rule.divert();
                    rule.to().forEach(to -> others.apply(to).ifPresent(route -> route.collect(publication)));
                }
            }
            if (!diverted) {
                own.collect(publication);
            }
        };
    }
}
