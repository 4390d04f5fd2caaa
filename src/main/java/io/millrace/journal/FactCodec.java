package io.millrace.journal;

import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.IdentitiesForgotten;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import java.nio.ByteBuffer;

/**
 * Facts as bytes: those of single messages, which are nearly all there are. One kind byte, then fields of fixed size, then bytes.
 *
 * <p>What has these bytes in its files must say which version they are of ({@link #VERSION}).
 */
public final class FactCodec {
    /** Of the encoding. */
    public static final int VERSION = 1;

    /** No fact takes more than this beside its bytes. */
    public static final int MOST_OVERHEAD = 64;

    private static final byte STORED = 1;
    private static final byte REMOVED = 2;
    private static final byte FAILED = 3;
    private static final byte ANNOTATED = 4;
    private static final byte IDENTITY_SEEN = 5;
    private static final byte IDENTITIES_FORGOTTEN = 6;

    private FactCodec() {}

    /** Whether it can be written. Not so: nodes, moves, and messages whose body is beside them. */
    public static boolean encodes(Fact fact) {
        if (fact instanceof MessageStored stored) {
            return stored.details().body() == 0 && stored.details().streamed() == 0;
        }
        return fact instanceof MessageRemoved
                || fact instanceof DeliveryFailed
                || fact instanceof MessageAnnotated
                || fact instanceof IdentitySeen
                || fact instanceof IdentitiesForgotten;
    }

    /** Whether it must outlive a restart. */
    public static boolean isDurable(Fact fact) {
        if (fact instanceof MessageStored stored) {
            return stored.durable();
        }
        return !(fact instanceof MessageRemoved removed) || removed.durable();
    }

    /**
     * Writes a fact.
     *
     * @param out has room for it: its bytes, and {@link #MOST_OVERHEAD}
     * @throws IllegalArgumentException if it is not one of those that it {@link #encodes}
     */
    public static void write(Fact fact, ByteBuffer out) {
        if (!encodes(fact)) {
            throw new IllegalArgumentException("cannot be encoded: " + fact);
        }
        if (fact instanceof MessageStored stored) {
            write(stored, out);
        } else if (fact instanceof MessageRemoved removed) {
            write(removed.key(), out.put(REMOVED));
            out.put((byte) (removed.durable() ? 1 : 0)).putInt(removed.size());
        } else if (fact instanceof DeliveryFailed failed) {
            write(failed.key(), out.put(FAILED));
            out.putInt(failed.deliveryCount());
        } else if (fact instanceof MessageAnnotated annotated) {
            write(annotated.key(), out.put(ANNOTATED));
            out.putInt(annotated.oldSize());
            write(annotated.bytes(), out);
        } else if (fact instanceof IdentitySeen seen) {
            out.put(IDENTITY_SEEN).putLong(seen.queue()).putLong(seen.number()).putLong(seen.seenMillis());
            write(seen.identity(), out);
        } else if (fact instanceof IdentitiesForgotten gone) {
            out.put(IDENTITIES_FORGOTTEN).putLong(gone.queue()).putLong(gone.upToNumber());
        }
    }

    private static void write(MessageStored stored, ByteBuffer out) {
        write(stored.key(), out.put(STORED));
        out.put((byte) (stored.durable() ? 1 : 0))
                .putLong(stored.arrivalMillis())
                .putInt(stored.format())
                .putLong(stored.details().expiryMillis())
                .putLong(stored.details().originSequence());
        write(stored.bytes(), out);
    }

    private static void write(MessageKey key, ByteBuffer out) {
        out.putLong(key.queue()).putInt(key.order()).putLong(key.sequence());
    }

    private static void write(byte[] bytes, ByteBuffer out) {
        out.putInt(bytes.length).put(bytes);
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws IllegalArgumentException if it is something else
     */
    public static Fact read(ByteBuffer in) {
        byte kind = in.get();
        return switch (kind) {
            case STORED -> stored(in);
            case REMOVED -> new MessageRemoved(key(in), in.get() != 0, in.getInt());
            case FAILED -> new DeliveryFailed(key(in), in.getInt());
            case ANNOTATED -> new MessageAnnotated(key(in), in.getInt(), bytes(in));
            case IDENTITY_SEEN -> new IdentitySeen(in.getLong(), in.getLong(), in.getLong(), bytes(in));
            case IDENTITIES_FORGOTTEN -> new IdentitiesForgotten(in.getLong(), in.getLong());
            default -> throw new IllegalArgumentException("no fact has the kind " + kind);
        };
    }

    private static MessageStored stored(ByteBuffer in) {
        MessageKey key = key(in);
        boolean durable = in.get() != 0;
        long arrivalMillis = in.getLong();
        int format = in.getInt();
        Details details = Details.NONE.withExpiry(in.getLong()).withOrigin(in.getLong());
        return new MessageStored(key, durable, arrivalMillis, format, bytes(in), details);
    }

    private static MessageKey key(ByteBuffer in) {
        return new MessageKey(in.getLong(), in.getInt(), in.getLong());
    }

    private static byte[] bytes(ByteBuffer in) {
        byte[] bytes = new byte[in.getInt()];
        in.get(bytes);
        return bytes;
    }
}
