package io.millrace.amqp;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Received;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecodeException;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.DescribedTypeConstructor;
import org.apache.qpid.proton.codec.EncoderImpl;
import org.apache.qpid.proton.codec.FastPathDescribedTypeConstructor;
import org.apache.qpid.proton.codec.ReadableBuffer;
import org.apache.qpid.proton.codec.transport.FastPathDispositionType;

/**
 * Decodes performatives, and refuses what the Proton codec takes although the types do not allow it: more fields than there
 * are, which it would take for none at all, and a role that is null or no boolean, which it would take for sender (AMQP 1.0,
 * part 2, section 2.7). Shared by all connections of a thread, because its registry of types is large and it keeps nothing
 * from one frame to the next.
 */
final class PerformativeDecoder {
    private static final ThreadLocal<PerformativeDecoder> OF_THREAD = ThreadLocal.withInitial(PerformativeDecoder::new);
    private static final int ROLE_OF_ATTACH = 2;

    /** How many fields there are in composite types; in messages the codec is not used. */
    private static final Map<Class<?>, Integer> FIELDS = Map.ofEntries(
            Map.entry(Open.class, 10),
            Map.entry(Begin.class, 8),
            Map.entry(Attach.class, 14),
            Map.entry(Detach.class, 3),
            Map.entry(End.class, 1),
            Map.entry(Close.class, 1),
            Map.entry(ErrorCondition.class, 3),
            Map.entry(Source.class, 11),
            Map.entry(Target.class, 7),
            Map.entry(Coordinator.class, 1),
            Map.entry(TransactionalState.class, 2),
            Map.entry(Received.class, 2),
            Map.entry(Rejected.class, 1),
            Map.entry(Modified.class, 3));

    private final DecoderImpl decoder = new CheckingDecoder();

    private PerformativeDecoder() {
        EncoderImpl encoder = new EncoderImpl(decoder);
        AMQPDefinedTypes.registerAllTypes(decoder, encoder);
        FastPathDescribedTypeConstructor<Disposition> disposition = new CheckedDisposition(encoder);
        decoder.register(UnsignedLong.valueOf(0x15), disposition);
        decoder.register(Symbol.valueOf("amqp:disposition:list"), disposition);
    }

    static PerformativeDecoder ofThread() {
        return OF_THREAD.get();
    }

    /** The performative at the position of the buffer, which is then behind it. */
    FrameBody decode(ByteBuffer in) throws UndecodableException {
        Object body;
        decoder.setByteBuffer(in);
        try {
            body = decoder.readObject();
        } catch (RuntimeException e) {
            // Whatever the codec stumbles over, the peer has sent it.
            throw new UndecodableException("the performative cannot be decoded: " + e.getMessage());
        } finally {
            decoder.setByteBuffer(null);
        }
        if (body instanceof FrameBody performative) {
            return performative;
        }
        throw new UndecodableException("the body of a frame is no performative");
    }

    private static final class CheckingDecoder extends DecoderImpl {
        @Override
        @SuppressWarnings("rawtypes")
        public void register(Object descriptor, DescribedTypeConstructor type) {
            Integer fields = FIELDS.get(type.getTypeClass());
            super.register(descriptor, fields == null ? type : new Checked(fields, type));
        }
    }

    private record Checked(int fields, DescribedTypeConstructor<?> type) implements DescribedTypeConstructor<Object> {
        @Override
        public Object newInstance(Object described) {
            if (!(described instanceof List<?> list)) {
                throw new DecodeException(name() + " is not a list");
            }
            if (list.size() > fields) {
                throw new DecodeException(name() + " has " + list.size() + " fields; there are " + fields);
            }
            if (getTypeClass() == Attach.class
                    && list.size() > ROLE_OF_ATTACH
                    && !(list.get(ROLE_OF_ATTACH) instanceof Boolean)) {
                throw new DecodeException("the role of an attach must be a boolean");
            }
            return type.newInstance(described);
        }

        private String name() {
            return getTypeClass().getSimpleName().toLowerCase(Locale.ROOT);
        }

        @Override
        public Class<?> getTypeClass() {
            return type.getTypeClass();
        }
    }

    private static final class CheckedDisposition extends FastPathDispositionType {
        private static final int LIST8 = 0xc0;
        private static final int FIRST_OF_LIST8 = 3;
        private static final int FIRST_OF_LIST32 = 9;

        CheckedDisposition(EncoderImpl encoder) {
            super(encoder);
        }

        @Override
        public Disposition readValue() {
            ReadableBuffer buffer = getDecoder().getBuffer();
            int list = buffer.position();
            int first = (buffer.get(list) & 0xff) == LIST8 ? FIRST_OF_LIST8 : FIRST_OF_LIST32;
            int role = buffer.get(list + first) & 0xff;
            if (role != 0x41 && role != 0x42 && role != 0x56) {
                throw new DecodeException("the role of disposition must be a boolean");
            }
            return super.readValue();
        }
    }
}
