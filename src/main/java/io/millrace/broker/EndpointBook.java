package io.millrace.broker;

import io.millrace.loop.Loop;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Who has which link that can be resumed, attached or suspended. Owned by the home loop; each other loop has a view of it. */
public final class EndpointBook {
    private final Loop home;
    private final int most;
    private final Map<LinkEndpoints.Name, Holder> holders = new HashMap<>();

    private record Holder(LinkEndpoints.Endpoint endpoint, Loop loop) {}

    /** @param most of such links, attached and suspended, that there may be */
    public EndpointBook(Loop home, int most) {
        this.home = home;
        this.most = most;
    }

    /** The book as links on a loop see it. */
    public LinkEndpoints seenFrom(Loop loop) {
        return new LinkEndpoints() {
            @Override
            public void claim(Name name, Endpoint endpoint, Answer answer) {
                home.post(() -> enter(name, new Holder(endpoint, loop), answer));
            }

            @Override
            public void drop(Name name) {
                home.post(() -> Optional.ofNullable(holders.remove(name))
                        .ifPresent(holder -> holder.loop().post(holder.endpoint()::drop)));
            }

            @Override
            public void release(Name name, Endpoint endpoint) {
                home.post(() ->
                        holders.computeIfPresent(name, (key, holder) -> holder.endpoint() == endpoint ? null : holder));
            }
        };
    }

    private void enter(LinkEndpoints.Name name, Holder holder, LinkEndpoints.Answer answer) {
        if (holders.size() >= most && !holders.containsKey(name)) {
            holder.loop().post(answer::refused);
            return;
        }
        Holder before = holders.put(name, holder);
        if (before == null) {
            holder.loop().post(() -> answer.claimed(Optional.empty()));
        } else {
            before.loop().post(() -> before.endpoint()
                    .surrender(remains -> holder.loop().post(() -> answer.claimed(remains))));
        }
    }
}
