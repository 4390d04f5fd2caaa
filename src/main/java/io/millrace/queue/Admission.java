package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import java.util.Map;
import java.util.Optional;

/** Whether a message may enter a queue: the limits of the queue and of the store. Owned by the queue. */
final class Admission {
    private static final String STORE_FULL = "store-full";

    private final String address;
    private final QueueSettings settings;
    private final long maxMessages;
    private final long maxBytes;

    Admission(String address, QueueSettings settings) {
        this.address = address;
        this.settings = settings;
        this.maxMessages = settings.maxMessages().orElse(Long.MAX_VALUE);
        this.maxBytes = settings.maxBytes().orElse(Long.MAX_VALUE);
    }

    /** Whether so many messages of so many bytes are more than the queue may hold. */
    boolean over(long messages, long bytes) {
        return messages > maxMessages || bytes > maxBytes;
    }

    /** Whether what is consumed stays. */
    boolean keepsAll() {
        return settings.replay();
    }

    boolean dropsOldest() {
        return settings.whenFull() == WhenFull.DROP_OLDEST;
    }

    /** How many more messages the queue may hold than there are. */
    long left(long messages) {
        return dropsOldest() ? Long.MAX_VALUE : maxMessages - messages;
    }

    /** How long a message waits for room. */
    long holdMillis() {
        return settings.hold().toMillis();
    }

    /** Whether there may be room for a message some time for which there is none now. One that drops others never waits. */
    boolean mayHaveRoomFor(Message message, Condition reason) {
        return reason.symbol().equals(Condition.RESOURCE_LIMIT_EXCEEDED)
                && (isStoreFull(reason) || (!dropsOldest() && message.totalSize() <= maxBytes));
    }

    /** Whether it is the store that has no room, and not the queue. */
    static boolean isStoreFull(Condition reason) {
        return STORE_FULL.equals(reason.info().get("reason"));
    }

    /** Why a message is refused; empty if it is not. {@code messages} and {@code bytes} are those in the queue already. */
    Optional<Condition> refusal(Message message, boolean needsStore, long messages, long bytes, Room room) {
        if (needsStore && !room.available()) {
            return Optional.of(refusal(STORE_FULL, "the store takes no messages: " + room.reason(), "store"));
        }
        if (!over(messages + 1, bytes + message.totalSize()) || (dropsOldest() && message.totalSize() <= maxBytes)) {
            return Optional.empty();
        }
        return Optional.of(full(messages, message.totalSize()));
    }

    /** The refusal for a message of so many bytes; {@code messages} are those in the queue already. */
    Condition full(long messages, long size) {
        if (messages >= maxMessages) {
            String held = messages == maxMessages ? ", its max-messages" : ", and its max-messages is " + maxMessages;
            return refusal(
                    "max-messages",
                    "it holds " + messages + (messages == 1 ? " message" : " messages") + held
                            + "; consume some, or raise that in the config",
                    maxMessages);
        }
        return refusal(
                "max-bytes",
                size > maxBytes
                        ? "it has " + size + " bytes, more than the " + maxBytes
                                + " of the queue's max-bytes; send smaller ones, or raise that in the config"
                        : "with its " + size + " bytes there would be more than " + maxBytes
                                + " in the queue, its max-bytes; consume some, or raise that in the config",
                maxBytes);
    }

    private Condition refusal(String reason, String why, Object limit) {
        return new Condition(
                Condition.RESOURCE_LIMIT_EXCEEDED,
                "queue '" + address + "' refuses the message: " + why,
                Map.of("queue", address, "reason", reason, "limit", limit));
    }
}
