package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Rate;
import io.millrace.loop.ManualLoop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.security.SaslInit;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.Declare;
import org.apache.qpid.proton.amqp.transaction.Declared;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.Test;

/** Rates of connections and users, as bytes in and bytes out, with a clock that is moved by hand. */
class SendingRateTest {
    private final ManualLoop loop = new ManualLoop();
    private final FakeNodes nodes = new FakeNodes(loop);

    private static Rate messages(long rate) {
        return new Rate(Optional.of(rate), Optional.empty());
    }

    private static Rate bytes(long rate) {
        return new Rate(Optional.empty(), Optional.of(rate));
    }

    /** A client whose links send as much as their credit allows, whenever it comes. */
    private final class Sender {
        final Peer peer;
        final Map<Integer, Integer> limits = new HashMap<>();
        final Map<Integer, Integer> sent = new HashMap<>();
        int next;
        byte[] message = Peer.message("m");
        boolean settled;
        Optional<Binary> transaction = Optional.empty();

        Sender(Rate rate) {
            peer = new Peer(loop, nodes, rate, UserRates.NONE).begin();
            nodes.add("orders");
        }

        Sender(ManualLoop own, UserRates users, String user) {
            this(own, users, user, Rate.UNLIMITED);
        }

        Sender(ManualLoop own, UserRates users, String user, Rate rate) {
            peer = new Peer(own, new FakeNodes(own), rate, users);
            peer.nodes.add("orders");
            SaslInit init = new SaslInit();
            init.setMechanism(Symbol.valueOf("PLAIN"));
            init.setInitialResponse(
                    new Binary(("\0" + user + "\0secret").getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            peer.send(Handshake.SASL_HEADER, Peer.frame(1, 0, init));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()), Peer.frame(0, Peer.newBegin()));
            peer.skip();
        }

        void attach(int... handles) {
            for (int handle : handles) {
                sent.put(handle, 0);
                peer.send(Peer.sender(handle, "orders"));
            }
            read();
        }

        /** Whose messages say where they go. */
        void attachAnonymous(int handle) {
            sent.put(handle, 0);
            peer.send(Peer.sender(handle, null));
            message = Peer.messageTo("orders", "m");
            read();
        }

        /** All that it sends from now on is in one transaction. */
        void beginTransaction(int handle) {
            Attach attach = Peer.sender(handle, null);
            attach.setTarget(new Coordinator());
            peer.send(attach);
            read();
            peer.transfer(handle, next++, Peer.sections(new AmqpValue(new Declare())));
            while (transaction.isEmpty()) {
                if (peer.next().body() instanceof Disposition disposition) {
                    transaction = Optional.of(((Declared) disposition.getState()).getTxnId());
                }
            }
        }

        /** Takes what came. */
        void read() {
            while (!peer.nothingCame()) {
                Object body = peer.next().body();
                if (body instanceof Flow flow && flow.getHandle() != null) {
                    limits.put(
                            flow.getHandle().intValue(),
                            flow.getDeliveryCount().intValue()
                                    + flow.getLinkCredit().intValue());
                } else if (body instanceof Disposition disposition) {
                    assertEquals(
                            Accepted.getInstance(),
                            disposition.getState() instanceof TransactionalState state
                                    ? state.getOutcome()
                                    : disposition.getState());
                } else {
                    boolean ended = body instanceof Detach detach && detach.getError() != null;
                    assertFalse(ended || body instanceof End || body instanceof Close, () -> "unexpected: " + body);
                }
            }
        }

        int credit(int handle) {
            return limits.getOrDefault(handle, 0) - sent.get(handle);
        }

        /** Sends while there is credit; how many messages went. */
        int flood(int... handles) {
            int count = 0;
            boolean more = true;
            while (more) {
                more = false;
                for (int handle : handles) {
                    if (credit(handle) > 0) {
                        sendOne(handle);
                        count++;
                        more = true;
                    }
                }
            }
            return count;
        }

        void sendOne(int handle) {
            Transfer transfer = Peer.transfer(handle, next);
            transfer.setDeliveryTag(
                    new Binary(Integer.toString(next++).getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            transfer.setSettled(settled);
            transaction.ifPresent(id -> {
                TransactionalState state = new TransactionalState();
                state.setTxnId(id);
                transfer.setState(state);
            });
            List<byte[]> frames = new ArrayList<>();
            for (int from = 0; from < message.length; from += 4000) {
                int to = Math.min(message.length, from + 4000);
                Transfer part = from == 0 ? transfer : new Transfer();
                part.setHandle(UnsignedInteger.valueOf(handle));
                part.setMore(to < message.length);
                frames.add(Peer.frame(0, part, Arrays.copyOfRange(message, from, to)));
            }
            sent.merge(handle, 1, Integer::sum);
            peer.send(frames.toArray(byte[][]::new));
            read();
        }
    }

    private int flood(long millis, Sender sender, int... handles) {
        int count = 0;
        for (int i = 0; i < millis; i++) {
            count += sender.flood(handles);
            loop.advance(1);
            sender.read();
        }
        return count;
    }

    @Test
    void aSenderThatIsTooFastGetsOneSecondsBurstAndThenTheRate() {
        Sender sender = new Sender(messages(100));
        sender.attach(0);
        assertEquals(100, sender.flood(0));
        assertEquals(1000, flood(10_000, sender, 0), 1);
        assertEquals(List.of("connection 100 messages/s"), sender.peer.rates.subList(0, 1));
    }

    @Test
    void aSenderThatStaysWithinItNoticesNothing() {
        Sender sender = new Sender(messages(100));
        sender.attach(0);
        for (int i = 0; i < 2000; i++) {
            assertTrue(sender.credit(0) > 0, "no credit at message " + i);
            sender.sendOne(0);
            loop.advance(10);
            sender.read();
        }
        assertEquals(List.of(), sender.peer.rates);
    }

    @Test
    void presettledMessagesCountLikeOthers() {
        Sender sender = new Sender(messages(100));
        sender.settled = true;
        sender.attach(0);
        assertEquals(1100, flood(10_000, sender, 0), 2);
    }

    @Test
    void messagesInATransactionCountLikeOthers() {
        Sender sender = new Sender(messages(100));
        sender.attach(0);
        sender.beginTransaction(5);
        assertEquals(1100, flood(10_000, sender, 0), 2);
    }

    @Test
    void theCoordinatorGoesOnWhenTheRateIsReached() {
        Sender sender = new Sender(messages(10));
        sender.attach(0);
        sender.flood(0);
        assertEquals(0, sender.credit(0));
        sender.beginTransaction(5);
        assertTrue(sender.transaction.isPresent());
    }

    @Test
    void messagesToTheAnonymousTerminusCountLikeOthers() {
        Sender sender = new Sender(messages(100));
        sender.attachAnonymous(0);
        assertEquals(1100, flood(10_000, sender, 0), 2);
        assertEquals(1100, nodes.add("orders").messages.size(), 2);
    }

    @Test
    void messagesThatGoToTheStoreWhileTheyComeCountWithAllTheirBytes() {
        int size = 1_500_000;
        Sender sender = new Sender(bytes(size));
        sender.message = Peer.message("x".repeat(size));
        sender.attach(0);
        int count = 0;
        for (int i = 0; i < 20_000; i += 10) {
            count += sender.flood(0);
            nodes.journal.flush();
            loop.advance(10);
            sender.read();
        }
        assertEquals(21, count, 1);
        assertTrue(nodes.add("orders").messages.getFirst().streamed() > 0);
    }

    @Test
    void whoHasALimitOfMessagesAndOneOfBytesKeepsBoth() {
        Sender sender = new Sender(new Rate(Optional.of(100L), Optional.of(100_000L)));
        sender.attach(0);
        assertEquals(1100, flood(10_000, sender, 0), 2);
        sender.message = Peer.message("x".repeat(10_000));
        flood(10_000, sender, 0);
        assertEquals(100, flood(10_000, sender, 0), 5);
    }

    @Test
    void aConnectionAndItsUserEachKeepTheirOwnLimit() {
        UserRates users = new UserRates(List.of(new Config.User("shop", "", messages(100))), List.of(loop));
        List<Sender> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(new Sender(loop, users, "shop", messages(50)));
        }
        Sender first = all.get(0);
        first.attach(0);
        assertEquals(550, flood(10_000, first, 0), 5);
        all.get(1).attach(0);
        all.get(2).attach(0);
        floodAll(5000, all);
        assertEquals(1000, floodAll(10_000, all), 10);
    }

    private int floodAll(int millis, List<Sender> all) {
        int count = 0;
        for (int i = 0; i < millis; i++) {
            for (Sender each : all) {
                count += each.flood(0);
            }
            loop.advance(1);
            all.forEach(Sender::read);
        }
        return count;
    }

    @Test
    void aLinkAmongAHundredThatAreIdleWithCreditHasTheWholeRate() {
        Sender sender = new Sender(messages(100));
        int busy = 99;
        for (int handle = 0; handle <= busy; handle++) {
            sender.attach(handle);
        }
        flood(20_000, sender, busy);
        for (int handle = 0; handle < busy; handle++) {
            assertTrue(sender.credit(handle) > 0, "link " + handle + " has none");
        }
        assertEquals(1000, flood(10_000, sender, busy), 15);
    }

    @Test
    void linksThatWaitTakeTurns() {
        Sender sender = new Sender(messages(100));
        sender.attach(0, 1, 2, 3);
        sender.flood(0, 1, 2, 3);
        Map<Integer, Integer> before = Map.copyOf(sender.sent);
        assertEquals(1000, flood(10_000, sender, 0, 1, 2, 3), 2);
        for (int handle = 0; handle < 4; handle++) {
            assertEquals(250, sender.sent.get(handle) - before.get(handle), 10, "link " + handle);
        }
    }

    @Test
    void idleLinksWithCreditDoNotStarveOthers() {
        Sender sender = new Sender(messages(20));
        sender.attach(0, 1, 2, 3, 4, 5, 6);
        sender.flood(6);
        int credit = 0;
        for (int handle = 0; handle < 6; handle++) {
            credit += sender.credit(handle);
        }
        assertTrue(credit >= 20, "they hold " + credit);
        assertEquals(200, flood(10_000, sender, 6), 8);
    }

    @Test
    void theCreditOfALinkThatClosesGoesToOthers() {
        Sender sender = new Sender(messages(10));
        sender.attach(0);
        assertEquals(10, sender.credit(0));
        sender.attach(1);
        assertEquals(0, sender.credit(1));
        sender.peer.send(Peer.detach(0));
        loop.advance(100);
        sender.read();
        assertEquals(10, sender.flood(1), 1);
    }

    @Test
    void bytesAreADebtThatIsPaidBeforeThereIsCredit() {
        Sender sender = new Sender(bytes(100_000));
        sender.message = Peer.message("x".repeat(99_000));
        sender.attach(0);
        int first = sender.flood(0);
        assertTrue(first >= 1 && first <= 10, "so many at once: " + first);
        loop.advance(first * 990L - 1_050);
        sender.read();
        assertEquals(0, sender.credit(0));
        loop.advance(150);
        sender.read();
        assertEquals(1, sender.flood(0));
        assertEquals(20, flood(20_000, sender, 0), 1);
    }

    @Test
    void byteRatesHoldForSmallMessagesToo() {
        Sender sender = new Sender(bytes(10_000));
        sender.message = Peer.message("x".repeat(92));
        sender.attach(0);
        sender.flood(0);
        int size = sender.message.length;
        assertEquals(200_000, flood(20_000, sender, 0) * size, 3_000);
    }

    @Test
    void nothingIsLeftWhenTheConnectionEnds() {
        Sender sender = new Sender(messages(10));
        int timers = loop.timers();
        sender.attach(0, 1);
        sender.flood(0, 1);
        assertEquals(timers + 1, loop.timers());
        sender.peer.connection.lost();
        loop.advance(1000);
        assertEquals(0, loop.timers());
        assertEquals(sender.peer.rates.size(), sender.peer.ratesOver.size());
    }

    @Test
    void connectionsOfAUserShareOnSeveralLoopsAndOtherUsersDoNot() {
        ManualLoop far = new ManualLoop();
        UserRates users = new UserRates(
                List.of(new Config.User("shop", "", messages(100)), new Config.User("bank", "", messages(100))),
                List.of(loop, far));
        Sender near = new Sender(loop, users, "shop");
        Sender other = new Sender(far, users, "shop");
        Sender bank = new Sender(far, users, "bank");
        List<Sender> all = List.of(near, other, bank);
        all.forEach(each -> each.attach(0));
        int[] counts = new int[3];
        for (int i = 0; i < 10_000; i++) {
            for (int s = 0; s < 3; s++) {
                counts[s] += all.get(s).flood(0);
            }
            loop.advance(1);
            far.advance(1);
            loop.runAll();
            far.runAll();
            all.forEach(Sender::read);
        }
        assertEquals(1100, counts[0] + counts[1], 5);
        assertEquals(1100, counts[2], 5);
        assertEquals(counts[0], counts[1], 150);
        assertEquals("shop 100 messages/s", near.peer.rates.get(0));
    }
}
