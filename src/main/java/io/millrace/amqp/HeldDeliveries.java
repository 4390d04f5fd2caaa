package io.millrace.amqp;

import io.millrace.queue.Receipt;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The deliveries of a link that found no room and wait for it, unanswered, in order. Owned by its incoming link. */
final class HeldDeliveries {
    private final Map<Receipt, Runnable> withdrawals = new LinkedHashMap<>(0);
    private boolean withdrawn;

    boolean isEmpty() {
        return withdrawals.isEmpty();
    }

    /** One is held; {@code withdrawal} takes it back. */
    void add(Receipt receipt, Runnable withdrawal) {
        withdrawals.put(receipt, withdrawal);
        if (withdrawn) {
            withdrawal.run();
        }
    }

    /** It is answered. */
    void remove(Receipt receipt) {
        withdrawals.remove(receipt);
    }

    /** Takes all of them back, and those that are yet to be told of. */
    void withdraw() {
        withdrawn = true;
        List.copyOf(withdrawals.values()).forEach(Runnable::run);
    }
}
