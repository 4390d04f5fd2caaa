package io.millrace.journal.h2;

import io.millrace.journal.Journal;
import io.millrace.journal.JournalContract;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;

class H2JournalContractTest extends JournalContract {
    private final PowerDisk disk = new PowerDisk();

    @Override
    protected Journal open() {
        H2Journal.Options options = H2Journal.Options.in(disk.directory())
                .on(PowerDisk.SCHEME, Duration.ZERO)
                .withReserve(0);
        return H2Journal.open(options, failure -> {
            throw failure;
        });
    }

    @Override
    protected void settle() {
        // it does so by itself
    }

    @Override
    protected void crash() {
        disk.crash(new Random(42));
    }

    @AfterEach
    void discard() {
        disk.discard();
    }
}
