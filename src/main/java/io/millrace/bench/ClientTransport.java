package io.millrace.bench;

import java.nio.ByteBuffer;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.codec.ReadableBuffer;
import org.apache.qpid.proton.engine.impl.TransportImpl;

/**
 * Proton's transport, but for the answers to deliveries: those of consecutive deliveries with the same outcome are one frame
 * (AMQP 1.0, part 2, section 2.7.6), where Proton writes one for each. Owned by its {@link ClientConnection}.
 */
final class ClientTransport extends TransportImpl {
    private final Disposition gathered = new Disposition();
    private boolean waiting;
    private int channel;
    private int last;

    ClientTransport() {
        gathered.setRole(Role.RECEIVER);
        setEmitFlowEventOnSend(false);
        setUseReadOnlyOutputBuffer(false);
    }

    @Override
    protected void writeFrame(int onChannel, FrameBody body, ReadableBuffer payload, Runnable onPayloadTooLarge) {
        if (body instanceof Disposition disposition && disposition.getRole() == Role.RECEIVER) {
            gather(onChannel, disposition);
        } else {
            writeGathered();
            super.writeFrame(onChannel, body, payload, onPayloadTooLarge);
        }
    }

    private void gather(int onChannel, Disposition disposition) {
        int first = disposition.getFirst().intValue();
        DeliveryState state = disposition.getState();
        boolean continues = waiting
                && onChannel == channel
                && first == last + 1
                && state == gathered.getState()
                && disposition.getSettled() == gathered.getSettled();
        if (!continues) {
            writeGathered();
            waiting = true;
            channel = onChannel;
            gathered.setFirst(disposition.getFirst());
            gathered.setState(state);
            gathered.setSettled(disposition.getSettled());
        }
        last = disposition.getLast().intValue();
    }

    private void writeGathered() {
        if (waiting) {
            waiting = false;
            gathered.setLast(UnsignedInteger.valueOf(last));
            super.writeFrame(channel, gathered, null, null);
        }
    }

    @Override
    public boolean writeInto(ByteBuffer output) {
        boolean over = super.writeInto(output);
        if (waiting) {
            writeGathered();
            over = super.writeInto(output);
        }
        return over;
    }
}
