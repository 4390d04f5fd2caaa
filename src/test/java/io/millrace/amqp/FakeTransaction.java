package io.millrace.amqp;

import io.millrace.broker.LocalTransaction;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Branch;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Source;
import io.millrace.queue.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A transaction that passes everything on and writes down what happens to it. */
final class FakeTransaction implements LocalTransaction {
    final List<String> log = new ArrayList<>();
    final List<Runnable> held = new ArrayList<>();
    Optional<Condition> refusal = Optional.empty();
    boolean hold;

    @Override
    public boolean exists() {
        return true;
    }

    @Override
    public Branch branch(Loop loop) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void offer(Target target, Message message, Receipt receipt) {
        log.add("sent");
        target.offer(message, this, receipt);
    }

    @Override
    public void settle(Source source, Consumer consumer, Delivery delivery, Outcome outcome, Receipt receipt) {
        log.add("settled");
        source.settle(consumer, delivery, outcome, this, receipt);
    }

    @Override
    public void doom(Condition reason) {
        log.add("doomed: " + reason.symbol());
    }

    @Override
    public void abort(Condition reason) {
        log.add("aborted: " + reason.symbol());
        refusal = Optional.of(reason);
    }

    @Override
    public void discharge(boolean fail, Receipt receipt) {
        log.add(fail ? "rolled back" : "committed");
        Outcome outcome = fail || refusal.isEmpty() ? Outcome.ACCEPTED : new Outcome.Rejected(refusal.get());
        if (hold) {
            held.add(() -> receipt.settled(outcome));
        } else {
            receipt.settled(outcome);
        }
    }
}
