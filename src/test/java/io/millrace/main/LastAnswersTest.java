package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.journal.Fact;
import io.millrace.journal.InMemoryJournal;
import io.millrace.loop.ManualLoop;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LastAnswersTest {
    private final ManualLoop one = new ManualLoop();
    private final ManualLoop two = new ManualLoop();
    private final InMemoryJournal journal = new InMemoryJournal();
    private final LastAnswers lastAnswers = new LastAnswers(journal, List.of(one, two));
    private final List<String> told = new ArrayList<>();

    private void run() {
        // Each post goes to the other loop at most.
        for (int i = 0; i < 20; i++) {
            one.runAll();
            two.runAll();
        }
    }

    @Test
    void areGivenBeforeTheEndIsToldAlsoByWayOfAnotherLoop() {
        // As a link on one loop does that asks a queue on the other, which hands its facts over at the end of its turn.
        one.post(() -> two.post(() -> two.post(() ->
                journal.append(List.of(new Fact.NodeDeleted(1)), two, () -> one.post(() -> told.add("accepted"))))));
        one.post(() -> lastAnswers.then(one, () -> told.add("the end")));
        run();
        assertEquals(List.of(), told);
        journal.flush();
        run();
        assertEquals(List.of("accepted", "the end"), told);
    }

    @Test
    void areNotWaitedForWhenTheDiskTakesTooLong() {
        one.post(() -> lastAnswers.then(one, () -> told.add("the end")));
        run();
        one.advance(LastAnswers.LIMIT.toMillis() - 1);
        assertEquals(List.of(), told);
        one.advance(1);
        assertEquals(List.of("the end"), told);
        journal.flush();
        run();
        assertEquals(List.of("the end"), told, "once");
    }
}
