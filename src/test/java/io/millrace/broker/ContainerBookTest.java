package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.loop.ManualLoop;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContainerBookTest {
    private final ManualLoop home = new ManualLoop();
    private final ManualLoop other = new ManualLoop();
    private final ContainerBook book = new ContainerBook(home);
    private final Containers here = book.seenFrom(home);
    private final Containers there = book.seenFrom(other);
    private final List<String> log = new ArrayList<>();

    private void claim(Containers containers, String connection, boolean takeOver) {
        containers.claim("shop", connection, takeOver, new Containers.Answer() {
            @Override
            public void claimed(boolean granted) {
                log.add(connection + (granted ? " has it" : " has it not"));
            }

            @Override
            public void takenOver() {
                log.add(connection + " lost it");
            }
        });
        run();
    }

    private void run() {
        home.runAll();
        other.runAll();
        home.runAll();
    }

    @Test
    void aNameIsForOneConnectionOverAllLoops() {
        claim(here, "a", false);
        claim(there, "b", false);
        assertEquals(List.of("a has it", "b has it not"), log);
    }

    @Test
    void aNameThatIsGivenBackIsForTheNext() {
        claim(there, "a", false);
        there.release("shop", "a");
        run();
        claim(here, "b", false);
        assertEquals(List.of("a has it", "b has it"), log);
    }

    @Test
    void oneThatNeverHadTheNameCannotGiveItBack() {
        claim(here, "a", false);
        claim(there, "b", false);
        there.release("shop", "b");
        run();
        claim(there, "c", false);
        assertEquals(List.of("a has it", "b has it not", "c has it not"), log);
    }

    @Test
    void aConnectionMayTakeOverAndItsPredecessorIsTold() {
        claim(here, "a", false);
        claim(there, "b", true);
        assertEquals(3, log.size());
        assertEquals(
                List.of("a has it", "b has it"),
                log.stream().filter(l -> l.contains("has")).toList());
        here.release("shop", "a");
        run();
        claim(here, "c", false);
        assertEquals("c has it not", log.get(3));
    }
}
