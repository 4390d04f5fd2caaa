package io.millrace.queue;

import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.journal.Fact;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The messages that a queue has taken in of late, by what tells them apart, so that one that comes again is not taken in
 * twice. Owned by the queue.
 *
 * <p>What tells is the message-id or a property, of whatever type: a string and a number are never the same. It is kept as a
 * digest of 16 bytes. A message is a duplicate for as long as the window lasts and not too many others came after it. Those of
 * durable messages are facts, recorded with the message; the fact that they matter no more is recorded in lumps.
 */
final class Identities {
    private static final int DIGEST_BYTES = 16;
    private static final int LUMP = 1024;

    private final long queue;
    private final Duplicates settings;
    private final Recorder recorder;
    private final MessageDigest sha256;
    private final Map<Digest, Identity> known = new HashMap<>();
    private final ArrayDeque<Identity> oldestFirst = new ArrayDeque<>();
    private long lastNumber;
    private long forgottenUpTo;
    private long recordedUpTo;
    private long duplicates;

    private record Digest(long high, long low) {}

    /** The identity of a message that was taken in, or is about to be. */
    static final class Identity implements Receipt {
        private final Digest digest;
        private final long number;
        private final long seenMillis;
        private boolean settled;
        private Outcome outcome = Outcome.ACCEPTED;
        private List<Receipt> others = List.of();

        private Identity(Digest digest, long number, long seenMillis) {
            this.digest = digest;
            this.number = number;
            this.seenMillis = seenMillis;
        }

        /** Answers the sender of a duplicate when the message itself is answered. */
        void answer(Receipt duplicate) {
            if (settled) {
                duplicate.settled(outcome);
                return;
            }
            if (others.isEmpty()) {
                others = new ArrayList<>();
            }
            others.add(duplicate);
        }

        /** The message is there to stay, or is not; the senders of its duplicates are told the same. */
        @Override
        public void settled(Outcome now) {
            settled = true;
            outcome = now;
            List<Receipt> told = others;
            others = List.of();
            told.forEach(receipt -> receipt.settled(now));
        }
    }

    Identities(long queue, Duplicates settings, Recorder recorder, List<Fact.IdentitySeen> backlog) {
        this.queue = queue;
        this.settings = settings;
        this.recorder = recorder;
        try {
            this.sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        for (Fact.IdentitySeen seen : backlog) {
            ByteBuffer bytes = ByteBuffer.wrap(seen.identity());
            Identity identity =
                    new Identity(new Digest(bytes.getLong(), bytes.getLong()), seen.number(), seen.seenMillis());
            identity.settled(Outcome.ACCEPTED);
            add(identity);
            lastNumber = Math.max(lastNumber, seen.number());
            recordedUpTo = recordedUpTo == 0 ? seen.number() - 1 : recordedUpTo;
        }
        forgottenUpTo = recordedUpTo;
    }

    /** What a message has to tell it by, digested; empty if it has nothing, and then it is never a duplicate. */
    Optional<byte[]> digest(Message message) {
        Object value = settings.property()
                .map(property -> LastValues.value(message, property))
                .orElseGet(message::messageId);
        if (value.equals("")) {
            return Optional.empty();
        }
        sha256.update(value.getClass().getName().getBytes(StandardCharsets.UTF_8));
        sha256.update((byte) 0);
        // An array of bytes has no text of its own.
        sha256.update(value instanceof byte[] binary ? binary : value.toString().getBytes(StandardCharsets.UTF_8));
        return Optional.of(Arrays.copyOf(sha256.digest(), DIGEST_BYTES));
    }

    /** The message with this digest that was taken in before, if that matters still. */
    Optional<Identity> original(byte[] digest, long nowMillis) {
        forget(nowMillis);
        Optional<Identity> found = Optional.ofNullable(known.get(of(digest)));
        if (found.isPresent()) {
            duplicates++;
        }
        return found;
    }

    /** A message with this digest is taken in. {@link Identity#settled} is to be called when that is final. */
    Identity remember(byte[] digest, long nowMillis) {
        lastNumber++;
        Identity identity = new Identity(of(digest), lastNumber, nowMillis);
        add(identity);
        forget(nowMillis);
        return identity;
    }

    /** What the journal is to know of it, in the batch of its message. */
    Fact.IdentitySeen fact(Identity identity) {
        byte[] bytes = ByteBuffer.allocate(DIGEST_BYTES)
                .putLong(identity.digest.high)
                .putLong(identity.digest.low)
                .array();
        return new Fact.IdentitySeen(queue, identity.number, identity.seenMillis, bytes);
    }

    /** Whether a message with this digest is about to be taken in, and may not be after all. */
    boolean undecided(byte[] digest) {
        Identity identity = known.get(of(digest));
        return identity != null && !identity.settled;
    }

    /** The message was not taken in after all. */
    void takeBack(Identity identity, Outcome answer) {
        known.remove(identity.digest, identity);
        identity.settled(answer);
    }

    /** Messages that came again. */
    long duplicates() {
        return duplicates;
    }

    private void add(Identity identity) {
        known.put(identity.digest, identity);
        oldestFirst.add(identity);
    }

    private void forget(long nowMillis) {
        long before = nowMillis - settings.window().toMillis();
        while (!oldestFirst.isEmpty()
                && (oldestFirst.size() > settings.maxIdentities() || oldestFirst.peek().seenMillis <= before)) {
            Identity oldest = oldestFirst.poll();
            known.remove(oldest.digest, oldest);
            forgottenUpTo = oldest.number;
        }
        if (forgottenUpTo - recordedUpTo >= Math.min(LUMP, Math.max(1, settings.maxIdentities() / 8))) {
            recordedUpTo = forgottenUpTo;
            recorder.record(new Fact.IdentitiesForgotten(queue, forgottenUpTo));
        }
    }

    private static Digest of(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new Digest(buffer.getLong(), buffer.getLong());
    }
}
