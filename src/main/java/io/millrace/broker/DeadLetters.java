package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.queue.DeadLetterRoute;
import io.millrace.queue.MoveTarget;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Which queues are for dead messages, and the ways to them. Owned by the home loop; the ways are walked on the loops of the
 * queues they begin at.
 */
final class DeadLetters {
    private static final String OWN_SUFFIX = ".dlq";

    private final Config config;
    private final Opener opener;
    private final Set<String> configured;
    private final Set<String> made = new HashSet<>();

    /** Finds a dead-letter queue or makes it. */
    @FunctionalInterface
    interface Opener {
        void open(String address, Directory from, Consumer<MoveTarget> opened);
    }

    DeadLetters(Config config, Opener opener) {
        this.config = config;
        this.opener = opener;
        this.configured = config.deadLetterQueues();
    }

    /** This one was made for dead messages. */
    void made(String address) {
        made.add(address);
    }

    /** A dead-letter queue has none of its own; for the others it is found or made when first needed. */
    DeadLetterRoute routeFrom(String address, QueueSettings settings, Directory owner) {
        Optional<DeadLetterRoute> expired = settings.expiry().to() instanceof ExpiredTo.To to
                        && !to.queue().equals(address)
                        && !Address.temporary(address)
                ? Optional.of(route(Optional.of(to.queue()), Optional.empty(), owner))
                : Optional.empty();
        boolean none = Address.temporary(address) || has(address) || settings.deadLetter() instanceof DeadLetter.Off;
        String to =
                settings.deadLetter() instanceof DeadLetter.To named ? named.queue() : DeadLetter.Own.nameFor(address);
        return none && expired.isEmpty()
                ? DeadLetterRoute.NONE
                : route(none ? Optional.empty() : Optional.of(to), expired, owner);
    }

    private DeadLetterRoute route(Optional<String> to, Optional<DeadLetterRoute> expired, Directory owner) {
        return new DeadLetterRoute() {
            @Override
            public boolean exists() {
                return to.isPresent();
            }

            @Override
            public DeadLetterRoute forExpired() {
                return expired.orElse(DeadLetterRoute.NONE);
            }

            @Override
            public void open(Consumer<MoveTarget> opened) {
                String address = to.orElseThrow();
                if (owner.knows(address)) {
                    opened.accept(owner.target(address));
                } else {
                    opener.open(address, owner, opened);
                }
            }
        };
    }

    /** By what it is for, not by who came first: somebody may well wait at a dead-letter queue before the first death. */
    boolean has(String address) {
        if (made.contains(address) || configured.contains(address)) {
            return true;
        }
        if (!address.endsWith(OWN_SUFFIX)) {
            return false;
        }
        String of = address.substring(0, address.length() - OWN_SUFFIX.length());
        return !of.isEmpty() && config.settingsFor(of).deadLetter() instanceof DeadLetter.Own && !has(of);
    }
}
