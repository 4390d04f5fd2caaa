package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.Containers;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Open;
import org.junit.jupiter.api.Test;

/** The capability sole-connection-for-container, as bytes in and bytes out. */
class SoleConnectionTest {
    private static final Symbol SOLE = Symbol.valueOf("sole-connection-for-container");

    private final Peer peer = new Peer();
    private final AtomicInteger takenOver = new AtomicInteger();

    private static Open sole() {
        Open open = Peer.open();
        open.setDesiredCapabilities(new Symbol[] {SOLE});
        return open;
    }

    private void anotherConnectionHasTheName() {
        peer.nodes.claims.put("client", new FakeNodes.Claim(new Object(), new Containers.Answer() {
            @Override
            public void claimed(boolean granted) {}

            @Override
            public void takenOver() {
                takenOver.incrementAndGet();
            }
        }));
    }

    @Test
    void isOfferedToEverybody() {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
        Open open = peer.expect(Open.class);
        assertTrue(Arrays.asList(open.getOfferedCapabilities()).contains(SOLE));
    }

    @Test
    void theFirstConnectionIsLetInWithTheWayOfDetection() {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()));
        Open open = peer.expect(Open.class);
        assertEquals(
                UnsignedInteger.valueOf(1),
                open.getProperties().get(Symbol.valueOf("sole-connection-detection-policy")));
        assertEquals(1, peer.nodes.claims.size());
    }

    @Test
    void whatIsPipelinedBehindTheOpenWaitsForTheAnswer() {
        peer.nodes.hold = true;
        byte[] begin = Peer.frame(0, Peer.newBegin());
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()), Arrays.copyOf(begin, 5));
        peer.send(Arrays.copyOfRange(begin, 5, begin.length), Peer.frame(1, Peer.newBegin()));
        peer.expectHeader(Handshake.AMQP_HEADER);
        peer.expectNothing();
        peer.nodes.releaseHeld();
        peer.loop.runAll();
        peer.expect(Open.class);
        peer.expect(Begin.class);
        peer.expect(Begin.class);
    }

    @Test
    void aSecondConnectionIsRefusedAndToldWhichFieldIsWrong() {
        anotherConnectionHasTheName();
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()), Peer.frame(0, Peer.newBegin()));
        Open open = peer.expect(Open.class);
        assertEquals(true, open.getProperties().get(Symbol.valueOf("amqp:connection-establishment-failed")));
        Close close = peer.expect(Close.class);
        assertEquals(Symbol.valueOf("amqp:invalid-field"), close.getError().getCondition());
        assertEquals(
                Map.of(Symbol.valueOf("invalid-field"), Symbol.valueOf("container-id")),
                close.getError().getInfo());
        peer.expectNothing();
        assertEquals(0, takenOver.get());
    }

    @Test
    void aConnectionThatDoesNotAskForItMayShareTheName() {
        anotherConnectionHasTheName();
        peer.begin();
        assertFalse(peer.socketClosed);
    }

    @Test
    void aConnectionThatAsksToTakeOverIsLetIn() {
        anotherConnectionHasTheName();
        Open open = sole();
        open.setProperties(Map.of(Symbol.valueOf("sole-connection-enforcement-policy"), UnsignedInteger.valueOf(1)));
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open));
        peer.expect(Open.class);
        assertEquals(1, takenOver.get());
    }

    @Test
    void theOneThatIsTakenOverIsClosedAndToldWhy() {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()));
        peer.expect(Open.class);
        peer.nodes.claims.get("client").answer().takenOver();
        peer.loop.runAll();
        Close close = peer.expect(Close.class);
        assertEquals(Symbol.valueOf("amqp:resource-locked"), close.getError().getCondition());
        assertNotNull(close.getError().getInfo());
    }

    @Test
    void theNameIsFreeWhenTheConnectionIsOver() {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()));
        peer.expect(Open.class);
        peer.connection.lost();
        peer.loop.runAll();
        assertTrue(peer.nodes.claims.isEmpty());
    }

    @Test
    void aConnectionThatIsLostWhileItWaitsLeavesNothingBehind() {
        peer.nodes.hold = true;
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, sole()));
        peer.connection.lost();
        peer.nodes.releaseHeld();
        peer.loop.runAll();
        assertEquals(0, peer.loop.timers());
    }
}
