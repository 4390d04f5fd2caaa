package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.FactCodec;
import io.millrace.journal.MessageKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What one commit will write: the facts of some batches, less those that a later one of them undoes.
 *
 * <p>A message that is stored and removed within one commit is never written; where consumers keep up, that is most of
 * them. Owned by the journal thread, used again for each commit.
 */
final class Plan {
    private static final int FACT_WEIGHT = FactCodec.MOST_OVERHEAD;
    private static final Fact UNDONE = new Fact.NodeDeleted(0);

    /** In order, with {@link #UNDONE} in the place of each that a later one undid. */
    private final List<Fact> facts = new ArrayList<>();

    /** Where in {@link #facts} a message was stored: filled only when something is removed, which many plans lack. */
    private final Map<MessageKey, Integer> storedAt = new HashMap<>();

    private final Map<MessageKey, Integer> failedAt = new HashMap<>();
    private int indexed;
    private long weighedBody;
    private int added;
    private int size;
    private int cancelled;
    private long weight;
    private boolean loggable = true;
    private boolean durable;

    void clear() {
        facts.clear();
        storedAt.clear();
        failedAt.clear();
        indexed = 0;
        weighedBody = 0;
        added = 0;
        size = 0;
        cancelled = 0;
        weight = 0;
        loggable = true;
        durable = false;
    }

    void add(Fact fact) {
        added++;
        if (fact instanceof MessageMoved moved) {
            remove(moved.removed());
            append(moved.stored());
        } else if (fact instanceof MessageRemoved removed) {
            remove(removed);
        } else if (fact instanceof MessageAnnotated annotated) {
            annotate(annotated);
        } else if (fact instanceof DeliveryFailed failed) {
            fail(failed);
        } else {
            append(fact);
        }
    }

    /** What is left, in order. */
    @SuppressWarnings("ReferenceEquality") // it is this one object or it is not, and equals of a record is slow
    void forEach(Consumer<Fact> use) {
        for (Fact fact : facts) {
            if (fact != UNDONE) {
                use.accept(fact);
            }
        }
    }

    /** How many facts were added, those included that are undone. */
    int added() {
        return added;
    }

    /** How many facts are left. */
    int size() {
        return size;
    }

    /** How many facts were undone. */
    int cancelled() {
        return cancelled;
    }

    /** About how many bytes will be written; facts that are {@linkplain #isLoggable loggable} take no more when encoded. */
    long weight() {
        return weight;
    }

    /** Whether all facts can be {@linkplain FactCodec encoded}. */
    boolean isLoggable() {
        return loggable;
    }

    /** Whether anything that was added must outlive a restart, though it may have been undone. */
    boolean isDurable() {
        return durable;
    }

    private void append(Fact fact) {
        facts.add(fact);
        size++;
        weight += FACT_WEIGHT;
        loggable &= FactCodec.encodes(fact);
        durable |= FactCodec.isDurable(fact);
        if (fact instanceof MessageStored stored) {
            weigh(stored);
        } else if (fact instanceof BodyPart part) {
            weight += part.bytes().length;
        } else if (fact instanceof IdentitySeen seen) {
            weight += seen.identity().length;
        }
    }

    /** The messages of one fan-out come one after the other, and their bytes are written once. */
    private void weigh(MessageStored stored) {
        long body = stored.details().body();
        if (body == 0 || body != weighedBody) {
            weight += stored.bytes().length;
        }
        weighedBody = body;
    }

    private void remove(MessageRemoved removed) {
        Integer stored = takeStored(removed.key());
        Integer failed = failedAt.remove(removed.key());
        if (failed != null) {
            undo(failed);
        }
        if (stored == null) {
            append(removed);
            return;
        }
        undo(stored);
        cancelled++;
    }

    private Integer takeStored(MessageKey key) {
        index();
        return storedAt.remove(key);
    }

    private void undo(int at) {
        facts.set(at, UNDONE);
        size--;
        cancelled++;
    }

    private void annotate(MessageAnnotated annotated) {
        index();
        Integer at = storedAt.get(annotated.key());
        if (at != null && facts.get(at) instanceof MessageStored s) {
            Details details =
                    s.details().streamed() > 0 ? s.details() : s.details().withBody(0);
            facts.set(
                    at,
                    new MessageStored(s.key(), s.durable(), s.arrivalMillis(), s.format(), annotated.bytes(), details));
            weight += annotated.bytes().length;
            cancelled++;
        } else {
            append(annotated);
            weight += annotated.bytes().length;
        }
    }

    private void fail(DeliveryFailed failed) {
        Integer earlier = failedAt.put(failed.key(), facts.size());
        if (earlier != null) {
            undo(earlier);
        }
        append(failed);
    }

    private void index() {
        for (; indexed < facts.size(); indexed++) {
            if (facts.get(indexed) instanceof MessageStored stored) {
                storedAt.put(stored.key(), indexed);
            }
        }
    }
}
