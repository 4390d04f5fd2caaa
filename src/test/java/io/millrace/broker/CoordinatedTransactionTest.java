package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.ConfigFile;
import io.millrace.journal.InMemoryJournal;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import io.millrace.queue.Recipient;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Transactions begun on loop 0, over a queue there and one on loop 1. */
class CoordinatedTransactionTest {
    private BrokerScene scene = new BrokerScene(2);
    private Node here = scene.node(0, "here");
    private Node there = remote();
    private LocalTransaction transaction = begin();

    private Node remote() {
        scene.node(1, "there");
        return scene.broker.nodes(0).find("there").orElseThrow();
    }

    private LocalTransaction begin() {
        return scene.broker.nodes(0).begin();
    }

    private void in(BrokerScene other) {
        scene = other;
        here = scene.node(0, "here");
        there = remote();
        transaction = begin();
    }

    private Answers send(Target target, Message message) {
        Answers answers = new Answers();
        transaction.offer(target, message, answers);
        return answers;
    }

    private void sendBoth(String name) {
        send(here.target(), Messages.durable(name));
        send(there.target(), Messages.durable(name));
    }

    private Answers settle(Node node, Recipient consumer, String name) {
        Answers answers = new Answers();
        transaction.settle(node.source(), consumer, consumer.delivery(name), Outcome.ACCEPTED, answers);
        return answers;
    }

    private Answers discharge(boolean fail) {
        Answers answers = new Answers();
        transaction.discharge(fail, answers);
        return answers;
    }

    private Condition refusedCommit() {
        Answers answers = discharge(false);
        scene.settle();
        return answers.refusal();
    }

    private Recipient receiver(Node node, int credit) {
        Recipient consumer = new Recipient(node.source()).attached().credit(credit);
        scene.settle();
        return consumer;
    }

    private List<String> stored() {
        return scene.journal.messages().stream()
                .map(each -> Messages.name(each.bytes()))
                .toList();
    }

    @Nested
    class Committing {
        @Test
        void isOneBatchOverTheQueuesOfAllLoops() {
            scene.offer(0, "there", "request");
            Recipient consumer = receiver(there, 1);
            sendBoth("a");
            settle(there, consumer, "request");
            Answers answers = discharge(false);
            scene.runLoops();
            assertEquals(List.of(), answers.outcomes);
            assertEquals(1, scene.journal.waiting());
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("a", "a"), stored());
            assertEquals(List.of("a"), receiver(here, 10).names());
            consumer.credit(10);
            scene.settle();
            assertEquals(List.of("request", "a"), consumer.names());
        }

        @Test
        void isSeenByNobodyBeforeItIsDurable() {
            Recipient consumerHere = receiver(here, 10);
            Recipient consumerThere = receiver(there, 10);
            sendBoth("a");
            discharge(false);
            scene.runLoops();
            assertEquals(List.of(), consumerHere.names());
            assertEquals(List.of(), consumerThere.names());
            scene.settle();

            assertEquals(List.of("a"), consumerHere.names());
            assertEquals(List.of("a"), consumerThere.names());
        }

        @Test
        void isAllOrNothingWhenTheBrokerDies() {
            sendBoth("a");
            discharge(false);
            scene.runLoops();
            BrokerScene before = scene.restarted();
            assertEquals(0, before.messages("here") + before.messages("there"));
        }

        @Test
        void isAllThereAfterTheBrokerDied() {
            scene.offer(0, "there", "request");
            Recipient consumer = receiver(there, 1);
            settle(there, consumer, "request");
            sendBoth("a");
            discharge(false);
            scene.settle();
            BrokerScene after = scene.restarted();

            assertEquals(1, after.messages("here"));
            assertEquals(1, after.messages("there"));
        }

        @Test
        void comesAfterTheFactsItBuildsOnAlthoughAnotherLoopRecordedThem() {
            Recipient consumer = receiver(there, 1);
            there.target().offer(Messages.durable("request"), Receipt.NONE);
            scene.runLoops();
            assertEquals(List.of("request"), consumer.names());
            settle(there, consumer, "request");
            discharge(false);
            scene.settle();

            assertEquals(List.of(), stored());
        }

        @Test
        void ofNothingIsAnsweredAtOnce() {
            assertEquals(List.of(Outcome.ACCEPTED), discharge(false).outcomes);
        }

        @Test
        void waitsForWhatIsNotAnsweredYet() {
            List<Receipt> held = new ArrayList<>();
            Target slow = new SlowTarget(held);
            send(slow, Messages.durable("a"));
            send(here.target(), Messages.durable("b"));
            Answers answers = discharge(false);
            scene.settle();
            assertEquals(List.of(), answers.outcomes);
            held.get(0).settled(Outcome.ACCEPTED);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("b"), stored());
        }
    }

    private record SlowTarget(List<Receipt> held) implements Target {
        @Override
        public void offer(Message message, Transaction transaction, Receipt receipt) {
            held.add(receipt);
        }

        @Override
        public int room() {
            return 1;
        }

        @Override
        public void whenRoom(Runnable task) {
            throw new UnsupportedOperationException();
        }
    }

    @Nested
    class Topics {
        private final BrokerScene.Opened first = subscribe(0, "first");
        private final BrokerScene.Opened second = subscribe(1, "second");
        private final Recipient hereToo = receiverOf(first);
        private final Recipient farAway = receiverOf(second);

        private BrokerScene.Opened subscribe(int loop, String link) {
            BrokerScene.Opened opened = scene.open(
                    loop,
                    Request.toReceive("topic://news", Optional.empty(), new Link(this, "client", link), Terms.PLAIN));
            scene.settle();
            return opened;
        }

        private Recipient receiverOf(BrokerScene.Opened opened) {
            return receiver(opened.node(), 10);
        }

        private void publish(LocalTransaction in, int loop, String name) {
            BrokerScene.Opened topic = scene.open(
                    loop, Request.toSend("topic://news", Optional.empty(), new Link(this, "client", "sender")));
            scene.settle();
            Answers answers = new Answers();
            in.offer(topic.node().target(), Messages.durable(name), answers);
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void giveEachSubscriptionItsCopyWithTheCommit() {
            LocalTransaction other = scene.broker.nodes(1).begin();
            publish(transaction, 0, "a");
            publish(other, 1, "b");
            assertEquals(List.of(), hereToo.names());
            Answers answers = new Answers();
            other.discharge(false, answers);
            transaction.discharge(false, answers);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED, Outcome.ACCEPTED), answers.outcomes);
            assertEquals(Set.of("a", "b"), Set.copyOf(hereToo.names()));
            assertEquals(2, farAway.names().size());
        }

        @Test
        void forgetWhatIsRolledBack() {
            publish(transaction, 0, "a");
            assertEquals(List.of(Outcome.ACCEPTED), discharge(true).outcomes);
            scene.settle();

            assertEquals(List.of(), hereToo.names());
            assertEquals(List.of(), farAway.names());
        }

        @Test
        void doNotMissASubscriptionThatEndsBeforeTheCommit() {
            publish(transaction, 0, "a");
            first.node().source().detach(hereToo, false);
            scene.broker.nodes(0).release(first.node(), first, Departure.CLOSED);
            scene.settle();
            Answers answers = discharge(false);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("a"), farAway.names());
            farAway.acceptAll();
            scene.settle();
            assertEquals(0, memoryUsed());
        }
    }

    private long memoryUsed() {
        var bytes = scene.broker.memoryBytes();
        scene.settle();
        return bytes.join();
    }

    @Nested
    class RollingBack {
        @Test
        void undoesAllOnAllLoops() {
            scene.offer(0, "there", "x", "y");
            scene.offer(0, "here", "z");
            Recipient consumerThere = receiver(there, 2);
            Recipient consumerHere = receiver(here, 1);
            settle(there, consumerThere, "y");
            settle(there, consumerThere, "x");
            settle(here, consumerHere, "z");
            sendBoth("a");
            Answers answers = discharge(true);
            assertEquals(List.of(), answers.outcomes);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("z", "x", "y"), stored());
            consumerThere.credit(5);
            consumerHere.credit(5);
            scene.settle();
            assertEquals(List.of("x", "y", "x", "y"), consumerThere.names());
            assertEquals(List.of("z", "z"), consumerHere.names());
            assertEquals(1, consumerThere.delivery("x").deliveryCount());
        }

        @Test
        void happensWhenOneQueueRefusesToCommit() {
            sendBoth("a");
            scene.runLoops();
            BrokerScene.Opened maker = scene.temporary(0, this);
            Node temporary = maker.node();
            send(temporary.target(), Messages.durable("b"));
            scene.broker.nodes(0).release(temporary, maker, Departure.CLOSED);
            scene.settle();
            Condition refusal = refusedCommit();

            assertEquals(Condition.TRANSACTION_ROLLBACK, refusal.symbol());
            assertTrue(refusal.description().contains("was deleted"), refusal.description());
            assertEquals(List.of(), stored());
            assertEquals(0, scene.messages("here") + scene.messages("there"));
            scene.offer(0, "there", "c");
            assertEquals(List.of("c"), receiver(there, 5).names());
        }

        @Test
        void happensWhenAMessageWasRefusedInTheMeantime() throws Exception {
            Config config =
                    ConfigFile.parse("test.yaml", "queues: [{name: there, max-messages: 1}]", name -> Optional.empty());
            in(new BrokerScene(config, new InMemoryJournal(), 2));
            sendBoth("a");
            Answers second = send(there.target(), Messages.durable("b"));
            scene.settle();
            assertEquals(Condition.RESOURCE_LIMIT_EXCEEDED, second.refusal().symbol());
            Answers later = send(here.target(), Messages.durable("c"));
            assertEquals(Condition.TRANSACTION_ROLLBACK, later.refusal().symbol());
            Condition refusal = refusedCommit();

            assertEquals(Condition.TRANSACTION_ROLLBACK, refusal.symbol());
            assertTrue(refusal.description().contains("it holds 1 message, its max-messages"), refusal.description());
            assertEquals(List.of(), stored());
        }

        @Test
        void canComeBeforeTheDischargeWhichIsToldWhy() {
            scene.offer(0, "there", "x");
            Recipient consumer = receiver(there, 1);
            settle(there, consumer, "x");
            sendBoth("a");
            transaction.abort(new Condition(Condition.TRANSACTION_TIMEOUT, "too slow"));
            scene.settle();
            consumer.credit(1);
            scene.settle();
            assertEquals(List.of("x", "x"), consumer.names());

            assertEquals(
                    Condition.TRANSACTION_TIMEOUT,
                    send(here.target(), Messages.durable("b")).refusal().symbol());
            assertEquals(List.of(Outcome.ACCEPTED), settle(there, consumer, "x").outcomes);
            assertEquals(Condition.TRANSACTION_TIMEOUT, refusedCommit().symbol());
            assertEquals(List.of("x"), stored());
            assertEquals(1, scene.messages("there"));
            assertEquals(0, scene.stats("there").orElseThrow().unsettled());
        }

        @Test
        void happensWhenATransactionHasTooManyMessages() {
            List<Receipt> held = new ArrayList<>();
            Target taking = new SlowTarget(held);
            for (int i = 0; i < 100_000; i++) {
                transaction.offer(taking, Messages.transientOne("m"), Receipt.NONE);
                held.remove(0).settled(Outcome.ACCEPTED);
            }
            Answers answers = send(taking, Messages.transientOne("one too many"));

            assertEquals(Condition.TRANSACTION_ROLLBACK, answers.refusal().symbol());
            assertEquals("transaction-messages", answers.refusal().info().get("reason"));
            assertEquals(100_000, answers.refusal().info().get("limit"));
            assertEquals(Condition.TRANSACTION_ROLLBACK, refusedCommit().symbol());
        }

        @Test
        void happensWhenATransactionGetsTooLarge() {
            in(BrokerScene.withMemory("4MiB"));
            Answers answers = new Answers();
            for (int i = 0; i < 5; i++) {
                transaction.offer(here.target(), Messages.message("m" + i, false, 256 << 10), answers);
            }

            assertEquals(Condition.TRANSACTION_ROLLBACK, answers.refusal().symbol());
            assertTrue(answers.refusal().description().contains("1048576 bytes"), answers.refusal()::description);
            assertEquals(Condition.TRANSACTION_ROLLBACK, refusedCommit().symbol());
            assertEquals(0, memoryUsed());
        }
    }
}
