package io.millrace.broker;

import io.millrace.loop.Loop;
import java.util.HashMap;
import java.util.Map;

/** Who has which container-id for itself. Owned by the home loop; each other loop has a view of it. */
final class ContainerBook {
    /** Links that can be resumed; what they may leave is bounded by the credit that each had. */
    private static final int MAX_ENDPOINTS = 10_000;

    private final Loop home;
    private final EndpointBook endpoints;
    private final Map<String, Claim> claims = new HashMap<>();

    private record Claim(Object connection, Loop loop, Containers.Answer answer) {}

    ContainerBook(Loop home) {
        this.home = home;
        this.endpoints = new EndpointBook(home, MAX_ENDPOINTS);
    }

    /** The book as connections on a loop see it. */
    Containers seenFrom(Loop loop) {
        LinkEndpoints seen = endpoints.seenFrom(loop);
        return new Containers() {
            @Override
            public LinkEndpoints endpoints() {
                return seen;
            }

            @Override
            public void claim(String container, Object connection, boolean takeOver, Answer answer) {
                home.post(() -> enter(container, new Claim(connection, loop, answer), takeOver));
            }

            @Override
            public void release(String container, Object connection) {
                home.post(() -> claims.computeIfPresent(
                        container, (name, claim) -> claim.connection() == connection ? null : claim));
            }
        };
    }

    private void enter(String container, Claim claim, boolean takeOver) {
        Claim before = claims.get(container);
        boolean granted = before == null || takeOver;
        if (granted) {
            claims.put(container, claim);
        }
        claim.loop().post(() -> claim.answer().claimed(granted));
        if (granted && before != null) {
            before.loop().post(before.answer()::takenOver);
        }
    }
}
