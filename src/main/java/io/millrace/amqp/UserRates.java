package io.millrace.amqp;

import io.millrace.config.Config;
import io.millrace.loop.Loop;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The limits of users for all their connections together. Immutable, shared; what is counted is in pools, spread over the loops. */
public final class UserRates {
    /** No user has one. */
    public static final UserRates NONE = new UserRates(List.of(), List.of());

    private final Map<String, RatePool> pools = new HashMap<>();

    /** The limits of these users, those that have any, kept on these loops. */
    public UserRates(List<Config.User> users, List<? extends Loop> loops) {
        for (Config.User user : users) {
            if (user.rate().limited()) {
                Loop home = loops.get(pools.size() % loops.size());
                pools.put(user.name(), new RatePool(home, Optional.of(user.name()), user.rate()));
            }
        }
    }

    /** What the connections of a user draw on. */
    Optional<RatePool> pool(String user) {
        return Optional.ofNullable(pools.get(user));
    }
}
