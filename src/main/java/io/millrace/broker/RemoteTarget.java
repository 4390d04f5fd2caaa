package io.millrace.broker;

import io.millrace.journal.Fact;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.Receipt;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * A queue on another loop, as a place to send to. Owned by the loop of the link.
 *
 * <p>It lets a bounded number of bytes be under way, so that {@link #room} needs no look across. They are counted until
 * they are answered, or held because the queue is full, and the disk has room again: a message that is not durable is
 * answered before the disk has it.
 */
final class RemoteTarget implements MoveTarget {
    private static final long UNDERWAY_LIMIT_BYTES = 4 << 20;

    private final MoveTarget queue;
    private final Relay there;
    private final Relay back;
    private final ArrayDeque<Runnable> waitingForRoom = new ArrayDeque<>();
    private long underwayBytes;

    RemoteTarget(MoveTarget queue, Relay there, Relay back) {
        this.queue = queue;
        this.there = there;
        this.back = back;
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        CoordinatedTransaction.reaches(transaction, there);
        Receipt returned = sent(message, receipt);
        there.send(() -> queue.offer(message, transaction, returned));
    }

    @Override
    public void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        Receipt returned = sent(message, receipt);
        there.send(() -> queue.move(message, leaves, returned));
    }

    private Receipt sent(Message message, Receipt receipt) {
        underwayBytes += message.size();
        return new Returned(receipt, message.size());
    }

    private void arrived(int bytes) {
        underwayBytes -= bytes;
        while (!waitingForRoom.isEmpty() && room() > 0) {
            waitingForRoom.poll().run();
        }
    }

    @Override
    public int room() {
        return underwayBytes < UNDERWAY_LIMIT_BYTES ? Integer.MAX_VALUE : 0;
    }

    @Override
    public void whenRoom(Runnable task) {
        waitingForRoom.add(task);
    }

    /** Takes the answer back. Made on the loop of the link, then owned by the loop of the queue. */
    private final class Returned implements Receipt {
        private final Receipt receipt;
        private final int bytes;
        private boolean counted = true;

        Returned(Receipt receipt, int bytes) {
            this.receipt = receipt;
            this.bytes = bytes;
        }

        /** What waits for room may wait for long, and others are not to wait with it: the queue bounds it. */
        @Override
        public void held(Runnable withdrawal) {
            counted = false;
            back.send(() -> {
                receipt.held(() -> there.send(withdrawal));
                arrived(bytes);
            });
        }

        @Override
        public void settled(Outcome outcome) {
            if (!counted) {
                back.send(() -> receipt.settled(outcome));
            } else if (queue.room() > 0) {
                back.send(() -> {
                    receipt.settled(outcome);
                    arrived(bytes);
                });
            } else {
                back.send(() -> receipt.settled(outcome));
                queue.whenRoom(() -> back.send(() -> arrived(bytes)));
            }
        }
    }
}
