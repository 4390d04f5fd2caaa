package io.millrace.simulation;

import io.millrace.broker.Nodes;
import io.millrace.message.Condition;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A transacted session: one transaction after the other, over whatever its connection sends and receives. */
final class SimSession {
    private static final int FIRST_STREAM = 100;

    private final Scene scene;
    private final int loop;
    private final int stream;
    private final Clients clients;
    private Optional<SimTransaction> current = Optional.empty();
    private boolean discharging;

    SimSession(Scene scene, int number, int loop, Clients clients) {
        this.scene = scene;
        this.loop = loop;
        this.stream = FIRST_STREAM + number;
        this.clients = clients;
    }

    void act(Nodes nodes, Supplier<List<SimConsumer>> consumers) {
        if (discharging) {
            return;
        }
        if (current.isEmpty()) {
            current = Optional.of(scene.ledger().transactions.begun(nodes.begin()));
        }
        SimTransaction transaction = current.get();
        int die = scene.random().nextInt(10);
        if (die < 4) {
            clients.send(loop, stream, Optional.of(transaction));
        } else if (die < 7) {
            List<SimConsumer> mine = consumers.get();
            if (!mine.isEmpty()) {
                mine.get(scene.random().nextInt(mine.size())).settleIn(transaction, mostBytes());
            }
        } else {
            end(die < 9, scene.random().nextInt(8) == 0);
        }
    }

    int loop() {
        return loop;
    }

    private long mostBytes() {
        return scene.plan().transactionBytes();
    }

    private void end(boolean commit, boolean lost) {
        SimTransaction transaction = current.orElseThrow();
        TransactionRules rules = scene.ledger().transactions;
        current = Optional.empty();
        if (lost) {
            rules.rollingBack(transaction);
            transaction.broker.abort(new Condition(Condition.CONNECTION_FORCED, "the connection is lost"));
            return;
        }
        if (commit) {
            rules.committing(transaction);
        } else {
            rules.rollingBack(transaction);
        }
        discharging = true;
        transaction.broker.discharge(!commit, scene.ledger().receipt("a discharge", outcome -> {
            discharging = false;
            rules.answered(transaction, commit, outcome);
        }));
    }

    /** Ends what it has begun. */
    void close() {
        if (current.isPresent()) {
            end(scene.random().nextBoolean(), false);
        }
    }

    void crashed() {
        current = Optional.empty();
        discharging = false;
    }
}
