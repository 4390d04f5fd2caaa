package io.millrace.queue;

import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.journal.Fact;
import io.millrace.message.Message;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sends dead messages to the dead-letter queue: out of here and in there as one fact, with the story of the death in the
 * message annotations. Owned by the queue.
 */
final class DeadLetter {
    static final String ADDRESS = "x-opt-death-address";
    static final String REASON = "x-opt-death-reason";
    static final String DESCRIPTION = "x-opt-death-description";
    static final String TIME = "x-opt-death-time";
    static final String DELIVERY_COUNT = "x-opt-death-delivery-count";

    /** A list of maps, the latest death first: the annotations above, of each death before this one. */
    static final String EARLIER = "x-opt-earlier-deaths";

    private static final List<String> STORY = List.of(ADDRESS, REASON, DESCRIPTION, TIME, DELIVERY_COUNT);

    /** Deaths kept in a message, so that one that goes round and round does not grow without end. */
    private static final int MAX_EARLIER = 16;

    private final Queue queue;
    private final DeadLetterRoute route;
    private final DeadLetterRoute expiredRoute;
    private final LoopResources loop;

    DeadLetter(Queue queue, DeadLetterRoute route, ExpiredTo expiredTo, LoopResources loop) {
        this.queue = queue;
        this.route = route;
        if (expiredTo instanceof ExpiredTo.Nowhere) {
            this.expiredRoute = DeadLetterRoute.NONE;
        } else {
            this.expiredRoute = expiredTo instanceof ExpiredTo.To ? route.forExpired() : route;
        }
        this.loop = loop;
    }

    boolean exists() {
        return route.exists();
    }

    boolean takesExpired() {
        return expiredRoute.exists();
    }

    /** Moves a message that nobody holds and that is not in the window; {@code moved} runs when it is durably there. */
    void bury(QueuedMessage message, String reason, String description, Runnable moved) {
        bury(route, message, story(message, reason, description), moved);
    }

    /** As {@link #bury}, a message whose time is over, to where those go. */
    void buryExpired(QueuedMessage message, Runnable moved) {
        String description = "it was to live until " + Instant.ofEpochMilli(message.expiryMillis);
        bury(expiredRoute, message, story(message, "expired", description), moved);
    }

    private void bury(DeadLetterRoute to, QueuedMessage message, Map<String, Object> story, Runnable moved) {
        // From now on only the rules of its new queue say how long it lives.
        Message dead = message.message.withoutExpiry(false).withAnnotations(story);
        Optional<Fact.MessageRemoved> leaves = message.stored ? Optional.of(message.removedFact()) : Optional.empty();
        // What was recorded here must reach the journal before the move, which another loop may record.
        to.open(target -> {
            loop.recorder().flush();
            target.move(dead, leaves, outcome -> moved.run());
        });
    }

    private Map<String, Object> story(QueuedMessage message, String reason, String description) {
        Map<String, Object> story = new LinkedHashMap<>();
        story.put(ADDRESS, queue.address());
        story.put(REASON, reason);
        story.put(DESCRIPTION, description);
        story.put(TIME, new Date(loop.loop().now()));
        story.put(DELIVERY_COUNT, message.deliveryCount);
        Map<String, Object> latest = new LinkedHashMap<>();
        for (String key : STORY) {
            Object value = message.message.annotation(key);
            if (!"".equals(value)) {
                latest.put(key, value);
            }
        }
        if (!latest.isEmpty()) {
            List<Object> earlier = new ArrayList<>();
            earlier.add(latest);
            if (message.message.annotation(EARLIER) instanceof List<?> before) {
                earlier.addAll(before.subList(0, Math.min(before.size(), MAX_EARLIER - 1)));
            }
            story.put(EARLIER, earlier);
        }
        return story;
    }
}
