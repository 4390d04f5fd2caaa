package io.millrace.amqp;

import java.util.Arrays;
import java.util.List;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.UnsignedLong;

/**
 * A performative, or another composite value, with just these fields: too few, too many, null or of the wrong type, as no
 * class of the engine would have them.
 */
record RawPerformative(Object getDescriptor, List<Object> getDescribed) implements DescribedType {
    static final int OPEN = 0x10;
    static final int BEGIN = 0x11;
    static final int ATTACH = 0x12;
    static final int FLOW = 0x13;
    static final int TRANSFER = 0x14;
    static final int DISPOSITION = 0x15;
    static final int DETACH = 0x16;
    static final int END = 0x17;
    static final int CLOSE = 0x18;

    static RawPerformative of(int code, Object... fields) {
        return new RawPerformative(UnsignedLong.valueOf(code), Arrays.asList(fields));
    }

    /** The same, described by its symbol. */
    static RawPerformative named(Object symbol, Object... fields) {
        return new RawPerformative(symbol, Arrays.asList(fields));
    }
}
