package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * One session: its channel, handles, transfer windows and unsettled outgoing deliveries (AMQP 1.0, part 2, section 2.5).
 * Owned by its connection.
 *
 * <p>The incoming window is as large as it can be, for link credit is what holds peers back. The outgoing window is the
 * peer's: no transfer frame is written beyond it, so a delivery may stop in the middle, one on each link, while those on other
 * links go on ({@link #continuePartials}).
 */
final class AmqpSession {
    private static final UnsignedInteger OUTGOING_WINDOW = UnsignedInteger.valueOf(Integer.MAX_VALUE);
    private static final long MAX_HANDLE = 65_535;

    /** The longest delivery-tag (section 2.8.7). */
    private static final int MAX_TAG = 32;

    private final AmqpConnection connection;
    private final FrameOutput frames;
    private final int channel;
    private final long handleMax;
    private final long remoteHandleMax;
    private final IntMap<AmqpLink> links = new IntMap<>();
    private final BitSet localHandles = new BitSet();
    private final IntMap<OutgoingDelivery> unsettled = new IntMap<>();

    /** Deliveries of links of receiver-settle-mode second that the peer has yet to settle. */
    private final IntMap<ReceivingEndpoint.Received> received = new IntMap<>();

    private final IncomingWindow window = new IncomingWindow();
    private final Runnable grantWindow = this::grantWindow;
    private boolean windowDue;
    private int nextIncomingId;
    private int nextOutgoingId;
    private long remoteWindow;
    private int nextDeliveryId;
    private int lastIncomingDelivery;

    /** The same, with transfers that only settle an old delivery: some clients give ids of another sequence to those. */
    private int lastIncomingId;

    private boolean deliveriesCame;
    private final List<Consumer<Departure>> leftBehind = new ArrayList<>(0);

    /** Deliveries that had to stop in the middle, those that have waited longest first. */
    private final Set<OutgoingDelivery> partial = new LinkedHashSet<>();

    private boolean active = true;

    /**
     * Begins it, and says so.
     *
     * @param incoming the channel on which the peer sends
     * @param channel the channel on which we send
     */
    AmqpSession(AmqpConnection connection, int incoming, int channel, Begin begin) {
        this.connection = connection;
        this.frames = connection.output().frames();
        this.channel = channel;
        handleMax = Math.min(connection.settings().limits().handleMax(), MAX_HANDLE);
        remoteHandleMax =
                begin.getHandleMax() == null ? MAX_HANDLE : begin.getHandleMax().longValue();
        nextIncomingId = begin.getNextOutgoingId().intValue();
        remoteWindow = begin.getIncomingWindow().longValue();
        Begin answer = new Begin();
        answer.setRemoteChannel(UnsignedShort.valueOf((short) incoming));
        answer.setNextOutgoingId(UnsignedInteger.ZERO);
        answer.setIncomingWindow(UnsignedInteger.valueOf(window.grant()));
        answer.setOutgoingWindow(OUTGOING_WINDOW);
        answer.setHandleMax(UnsignedInteger.valueOf(handleMax));
        answer.setProperties(Map.of());
        frames.frame(channel, answer);
    }

    AmqpConnection connection() {
        return connection;
    }

    FrameOutput frames() {
        return frames;
    }

    /** On which we send. */
    int channel() {
        return channel;
    }

    /** Whether frames on its channel still mean something: false from its end on. */
    boolean active() {
        return active;
    }

    void attached(Attach attach, int frameBytes) {
        long handle = attach.getHandle().longValue();
        if (handle > handleMax) {
            throw ProtocolViolation.ofConnection(
                    Condition.FRAMING_ERROR, "handle " + handle + " is above handle-max " + handleMax);
        }
        if (links.get((int) handle) != null) {
            throw ProtocolViolation.ofSession(
                    Condition.HANDLE_IN_USE,
                    "handle " + handle + " is that of link \""
                            + links.get((int) handle).name() + "\"");
        }
        if (attach.getRole() == Role.SENDER && attach.getInitialDeliveryCount() == null) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD,
                    "the attach of link \"" + attach.getName()
                            + "\" has no initial-delivery-count, which a sender must set");
        }
        if (!connection.held().allowsLink()) {
            throw ProtocolViolation.ofSession(Condition.RESOURCE_LIMIT_EXCEEDED, HeldBytes.noMemoryFor(attach));
        }
        int local = localHandles.nextClearBit(0);
        if (local > remoteHandleMax) {
            throw ProtocolViolation.ofSession(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    "no handle is left for link \"" + attach.getName() + "\": the peer's handle-max is "
                            + remoteHandleMax);
        }
        localHandles.set(local);
        AmqpLink link = attach.getRole() == Role.SENDER
                ? new IncomingLink(this, attach, local)
                : new OutgoingLink(this, attach, local);
        links.put((int) handle, link);
        link.weighs(frameBytes);
        link.claim();
    }

    /** The peer has detached the link: its handle is free. */
    void forget(AmqpLink link) {
        links.remove(link.remoteHandle());
    }

    /** We have detached the link, too: our handle is free. */
    void free(int localHandle) {
        localHandles.clear(localHandle);
    }

    /** Tells that the session has ended, or later that its connection has; what a link left behind may have waited for that. */
    void whenGone(Consumer<Departure> task) {
        leftBehind.add(task);
    }

    private AmqpLink link(UnsignedInteger handle) {
        AmqpLink link = links.get(handle.intValue());
        if (link == null) {
            throw ProtocolViolation.ofSession(Condition.UNATTACHED_HANDLE, "no link is attached with handle " + handle);
        }
        return link;
    }

    void detached(Detach detach) {
        link(detach.getHandle()).detachedByPeer(detach);
    }

    void flowed(Flow flow) {
        boolean ofLink = flow.getDeliveryCount() != null || flow.getLinkCredit() != null || flow.getAvailable() != null;
        if (flow.getHandle() == null && (ofLink || flow.getDrain())) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD, "a flow without a handle has the state of a link (section 2.7.4)");
        }
        int first =
                flow.getNextIncomingId() == null ? 0 : flow.getNextIncomingId().intValue();
        long incoming = flow.getIncomingWindow().longValue();
        boolean closed = remoteWindow == 0;
        remoteWindow = Math.max(0, first - nextOutgoingId + incoming);
        if (flow.getHandle() != null) {
            link(flow.getHandle()).flowed(flow);
        } else if (flow.getEcho()) {
            frames.frame(channel, newFlow());
        }
        if (closed && remoteWindow > 0) {
            connection.resume();
        }
    }

    /** A flow with the state of the session; the fields of a link are still to be set. */
    Flow newFlow() {
        Flow flow = new Flow();
        flow.setNextIncomingId(UnsignedInteger.valueOf(nextIncomingId));
        flow.setIncomingWindow(UnsignedInteger.valueOf(window.grant()));
        flow.setNextOutgoingId(UnsignedInteger.valueOf(nextOutgoingId));
        flow.setOutgoingWindow(OUTGOING_WINDOW);
        return flow;
    }

    void transferred(Transfer transfer, Binary payload) {
        nextIncomingId++;
        if (!window.received()) {
            throw ProtocolViolation.ofSession(
                    Condition.SESSION_WINDOW_VIOLATION, "a transfer came on a session whose incoming-window is 0");
        }
        if (!windowDue && window.due()) {
            windowDue = true;
            connection.output().atFlush(grantWindow);
        }
        link(transfer.getHandle()).transferred(transfer, payload);
    }

    /** Bytes of messages are here, until they are answered or written. */
    void held(int bytes) {
        connection.held().add(bytes);
    }

    void answered(int bytes) {
        connection.held().remove(bytes);
    }

    /** Tells the peer of a larger window, unless a flow of a link has done so in this turn. */
    private void grantWindow() {
        windowDue = false;
        if (active && window.due()) {
            frames.frame(channel, newFlow());
        }
    }

    /** Checks the delivery-id of the first frame of a delivery: they count up by one (section 2.6.12). */
    int newIncomingDelivery(Transfer transfer) {
        if (transfer.getDeliveryId() == null || transfer.getDeliveryTag() == null) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD,
                    "the first transfer of a delivery must have a delivery-id and a delivery-tag");
        }
        int id = transfer.getDeliveryId().intValue();
        boolean settlesOld = transfer.getResume() && Boolean.TRUE.equals(transfer.getSettled());
        if (deliveriesCame && id != lastIncomingDelivery + 1 && id != lastIncomingId + 1 && !settlesOld) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD,
                    "delivery-id " + Integer.toUnsignedString(id) + " does not follow "
                            + Integer.toUnsignedString(lastIncomingDelivery));
        }
        int tag = transfer.getDeliveryTag().getLength();
        if (tag > MAX_TAG) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD, "a delivery-tag of " + tag + " bytes; the limit is " + MAX_TAG);
        }
        if (!settlesOld) {
            deliveriesCame = true;
            lastIncomingDelivery = id;
        }
        lastIncomingId = id;
        return id;
    }

    /** The peer has yet to settle a delivery. */
    void received(int id, ReceivingEndpoint.Received delivery) {
        received.put(id, delivery);
    }

    /** What the peer says of a delivery with this id means nothing any more. */
    void forgetReceived(int id) {
        received.remove(id);
    }

    /** Whether a delivery may begin now. */
    boolean takesDelivery() {
        return active && remoteWindow > 0;
    }

    /** The delivery-id for the next delivery. */
    int nextDeliveryId() {
        return nextDeliveryId++;
    }

    /** Writes as much of a delivery as the peer's window and the socket take. */
    void send(OutgoingDelivery delivery) {
        if (!delivery.settled()) {
            unsettled.put(delivery.id(), delivery);
        }
        write(delivery);
        if (!delivery.complete()) {
            partial.add(delivery);
            delivery.link().stopped(delivery);
        }
    }

    private void write(OutgoingDelivery delivery) {
        do {
            frames.transfer(channel, delivery, connection.maxFrameSize());
            nextOutgoingId++;
            remoteWindow--;
            connection.output().wrote();
        } while (!delivery.complete() && delivery.ready() && remoteWindow > 0 && connection.takesOutput());
        if (delivery.complete()) {
            if (!partial.isEmpty()) {
                partial.remove(delivery);
            }
            delivery.link().written(delivery);
        }
    }

    /** Goes on with the deliveries that had to stop in the middle. */
    void continuePartials() {
        if (!partial.isEmpty()) {
            for (OutgoingDelivery delivery : partial.toArray(new OutgoingDelivery[0])) {
                continuePartial(delivery);
            }
        }
    }

    /** Goes on with one of them, as far as that is possible now; nothing happens if it has been given up. */
    void continuePartial(OutgoingDelivery delivery) {
        boolean possible = active && remoteWindow > 0 && connection.takesOutput() && delivery.ready();
        if (possible && partial.remove(delivery)) {
            partial.add(delivery);
            write(delivery);
        }
    }

    /** Writes a transfer without a message; only when a delivery may begin. */
    void sendBare(Transfer transfer) {
        frames.frame(channel, transfer);
        nextOutgoingId++;
        remoteWindow--;
        connection.output().wrote();
    }

    /** The deliveries that the peer of a link has not settled, in order. */
    List<OutgoingDelivery> unsettledOf(OutgoingLink link) {
        List<OutgoingDelivery> all = new ArrayList<>();
        for (int id : unsettled.keysFrom(nextDeliveryId)) {
            if (unsettled.get(id).link() == link) {
                all.add(unsettled.get(id));
            }
        }
        return all;
    }

    /** A link is gone: forgets its deliveries. */
    void forgetDeliveries(OutgoingLink link, int count) {
        partial.removeIf(delivery -> delivery.link() == link);
        if (active && count > 0) {
            for (OutgoingDelivery delivery : unsettled.copy()) {
                if (delivery.link() == link) {
                    unsettled.remove(delivery.id());
                }
            }
        }
    }

    void disposed(Disposition disposition) {
        if (disposition.getRole() == Role.SENDER && !disposition.getSettled()) {
            // What the sender thinks of an outcome changes nothing, until it has settled.
            return;
        }
        int first = disposition.getFirst().intValue();
        int last = disposition.getLast() == null ? first : disposition.getLast().intValue();
        int distance = last - first;
        if (distance < 0) {
            throw ProtocolViolation.ofSession(
                    Condition.INVALID_FIELD,
                    "a disposition of the deliveries " + Integer.toUnsignedString(first) + " to "
                            + Integer.toUnsignedString(last) + ", which is no range");
        }
        DeliveryState state = disposition.getState();
        boolean settled = disposition.getSettled();
        if (disposition.getRole() == Role.SENDER) {
            forEach(received, first, distance, this::settledBySender);
        } else {
            forEach(unsettled, first, distance, id -> dispose(id, state, settled));
        }
    }

    private static void forEach(IntMap<?> deliveries, int first, int distance, IntConsumer action) {
        if (distance <= deliveries.size()) {
            for (int i = 0; i <= distance; i++) {
                action.accept(first + i);
            }
        } else {
            for (int id : deliveries.keysFrom(first)) {
                if (id - first >= 0 && id - first <= distance) {
                    action.accept(id);
                }
            }
        }
    }

    private void settledBySender(int id) {
        ReceivingEndpoint.Received delivery = received.remove(id);
        if (delivery != null) {
            delivery.settle();
        }
    }

    private void dispose(int id, DeliveryState state, boolean settled) {
        OutgoingDelivery delivery = settled ? unsettled.remove(id) : unsettled.get(id);
        if (delivery != null) {
            delivery.link().disposed(delivery, state, settled);
        }
    }

    /** We have settled a delivery. */
    boolean settled(OutgoingDelivery delivery) {
        return unsettled.remove(delivery.id()) != null;
    }

    /** Ends it from our side, because the peer broke its rules. */
    void end(Condition reason) {
        release(false, Departure.SESSION_ENDED);
        End end = new End();
        end.setError(Conditions.encode(reason));
        frames.frame(channel, end);
    }

    void endedByPeer() {
        if (active) {
            release(false, Departure.SESSION_ENDED);
            frames.frame(channel, new End());
        }
    }

    /** Lets all links go, without a word to the peer. */
    void release(boolean lost, Departure how) {
        active = false;
        for (AmqpLink link : links.copy()) {
            link.release(lost, how);
        }
        leftBehind.forEach(task -> task.accept(how));
        if (how == Departure.SESSION_ENDED) {
            leftBehind.forEach(connection::whenClosed);
        }
        leftBehind.clear();
    }
}
