package io.millrace.queue;

import io.millrace.journal.Journal;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Message;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Of a queue that keeps the last value only: which message has the latest one. Owned by the queue.
 *
 * <p>A new message drops the one with the same value: in the same batch if that is in memory, and as soon as it is read if
 * only the store has it. One that a consumer holds is dropped when it comes back, and none that is not the latest is handed
 * out. After a restart the queue is read once, in runs, while it works: of two messages with the same value the one that
 * arrived later counts, in whatever order they are met. Messages without a value are kept as in any queue.
 */
final class LastValues {
    private static final int RUN_MESSAGES = 512;
    private static final long RUN_BYTES = 1 << 20;

    private final String property;
    private final long queue;
    private final Window window;
    private final LoopResources loop;
    private final Consumer<QueuedMessage> drop;
    private final Map<Object, MessageKey> latest = new HashMap<>();

    /** Replaced, but only the store has them. */
    private final ArrayDeque<MessageKey> replaced = new ArrayDeque<>();

    private boolean dropping;
    private boolean ended;

    /** @param drop what becomes of a message that is out of the window and held by nobody */
    LastValues(String property, long queue, Window window, LoopResources loop, Consumer<QueuedMessage> drop) {
        this.property = property;
        this.queue = queue;
        this.window = window;
        this.loop = loop;
        this.drop = drop;
    }

    /** The value of a message annotation or, without that, of an application property; an empty string if it has neither. */
    static Object value(Message message, String property) {
        Object annotation = message.annotation(property);
        return annotation.equals("") ? message.applicationProperty(property) : annotation;
    }

    /** A message was recorded at this place. */
    void arrived(QueuedMessage message) {
        Object value = value(message.message, property);
        if (!value.equals("")) {
            met(value, message.key);
        }
    }

    /** Whether a message with the same value arrived after this one. */
    boolean replaced(QueuedMessage message) {
        MessageKey last = latest.get(value(message.message, property));
        return last != null && last.sequence() > message.sequence();
    }

    /** A message left the queue. */
    void gone(QueuedMessage message) {
        latest.remove(value(message.message, property), message.key);
    }

    private void met(Object value, MessageKey key) {
        MessageKey other = latest.get(value);
        if (other == null || other.sequence() < key.sequence()) {
            latest.put(value, key);
            if (other != null) {
                replace(other);
            }
        } else if (other.sequence() > key.sequence()) {
            replace(key);
        }
    }

    private void replace(MessageKey key) {
        QueuedMessage message = window.find(key);
        if (message != null) {
            window.remove(message);
            drop.accept(message);
        } else if (!window.knows(key)) {
            replaced.add(key);
            dropNext();
        }
    }

    private void dropNext() {
        if (dropping || replaced.isEmpty() || ended) {
            return;
        }
        dropping = true;
        MessageKey key = replaced.poll();
        loop.recorder().whenDurable(() -> {
            MessageKey before = new MessageKey(queue, key.order(), key.sequence() - 1);
            read(before, 1, run -> {
                if (!run.isEmpty() && run.get(0).key().equals(key)) {
                    claim(run.get(0));
                }
                dropping = false;
                dropNext();
            });
        });
    }

    private void claim(StoredMessage stored) {
        QueuedMessage message = window.ahead().claim(stored);
        if (message != null) {
            drop.accept(message);
        }
    }

    /** Reads what was in the store before the broker started. */
    void recovered(List<Journal.Lane> lanes) {
        lanes.stream()
                .filter(lane -> lane.order() < MessageKey.LANES)
                .forEach(lane -> readOn(new MessageKey(queue, lane.order(), 0)));
    }

    private void readOn(MessageKey after) {
        read(after, RUN_MESSAGES, run -> {
            for (StoredMessage stored : run) {
                // What consumers took meanwhile may be shown still, and is not the latest of anything.
                boolean there = !window.knows(stored.key()) || window.find(stored.key()) != null;
                Object value = value(QueuedMessage.messageOf(stored), property);
                if (there && !value.equals("")) {
                    met(value, stored.key());
                }
            }
            if (!run.isEmpty()) {
                readOn(run.get(run.size() - 1).key());
            }
        });
    }

    private void read(MessageKey after, int maxMessages, Consumer<List<StoredMessage>> result) {
        long read = window.reads().begin();
        loop.read(after, maxMessages, loop.memory().runBytes(RUN_BYTES), run -> {
            if (!ended) {
                result.accept(run);
            }
            window.reads().end(read);
        });
    }

    /** The queue is deleted. */
    void clear() {
        ended = true;
        latest.clear();
        replaced.clear();
    }
}
