package io.millrace.broker;

import io.millrace.loop.Loop;
import java.util.HashMap;
import java.util.Map;

/** Who has which container-id for itself. Owned by the home loop; each other loop has a view of it. */
final class ContainerBook {
    private final Loop home;
    private final Map<String, Claim> claims = new HashMap<>();

    private record Claim(Object connection, Loop loop, Containers.Answer answer) {}

    ContainerBook(Loop home) {
        this.home = home;
    }

    /** The book as connections on a loop see it. */
    Containers seenFrom(Loop loop) {
        return new Containers() {
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
