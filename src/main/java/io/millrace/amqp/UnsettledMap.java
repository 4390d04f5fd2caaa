package io.millrace.amqp;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;

/**
 * The unsettled deliveries of both ends of a link, as its attaches tell of them (AMQP 1.0, part 2, section 2.7.3). Owned by the
 * link's endpoint. What does not fit into a frame is left out, and that is told.
 */
final class UnsettledMap {
    /** Of a frame, for all the other fields of an attach. */
    private static final int OTHER_FIELDS = 2;

    private final Map<?, ?> peers;
    private final boolean resumes;
    private final boolean incomplete;
    private final LinkedHashMap<Binary, DeliveryState> ours = new LinkedHashMap<>();
    private int room;
    private boolean oursIncomplete;

    UnsettledMap(Attach asked, int maxFrameSize) {
        resumes = asked.getUnsettled() != null;
        peers = resumes ? asked.getUnsettled() : Map.of();
        incomplete = asked.getIncompleteUnsettled();
        room = maxFrameSize / OTHER_FIELDS;
    }

    /** Whether the peer has state of this link; otherwise it knows of no delivery, and is told of none. */
    boolean resumes() {
        return resumes;
    }

    /** What the peer says; the values are states, or null. */
    Map<?, ?> peers() {
        return peers;
    }

    /** Whether what the peer does not list may be unsettled all the same. */
    boolean incomplete() {
        return incomplete;
    }

    /** Whether we have not listed all. */
    boolean oursIncomplete() {
        return oursIncomplete;
    }

    /** Lists one of ours, if there is room for it. */
    void list(Binary tag, DeliveryState state) {
        int size = tag.getLength() + Outcomes.sizeBound(state);
        if (size > room) {
            oursIncomplete = true;
        } else {
            room -= size;
            ours.put(tag, state);
        }
    }

    void tell(Attach answer) {
        if (resumes) {
            answer.setUnsettled(ours);
            answer.setIncompleteUnsettled(oursIncomplete);
        }
    }
}
