package io.millrace.journal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.millrace.journal.Journal.Room;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InMemoryJournalTest extends JournalContract {
    private InMemoryJournal memory = new InMemoryJournal();

    @Override
    protected Journal open() {
        memory = memory.successor();
        return memory;
    }

    @Override
    protected void settle() {
        memory.flush();
    }

    @Override
    protected void crash() {
        memory.crash();
    }

    @Test
    void nothingIsAnsweredOrKeptBeforeTheFlush() {
        boolean[] durable = new boolean[1];
        journal.append(List.of(stored(ORDERS, 1, 10)), line, () -> durable[0] = true);
        assertEquals(1, memory.waiting());
        memory.crash();
        memory.flush();
        assertFalse(durable[0]);
        assertEquals(List.of(), sequences(ORDERS));
    }

    @Test
    void aFailureIsToldOnceAndEndsTheJournal() {
        List<JournalException> failures = new ArrayList<>();
        InMemoryJournal failing = new InMemoryJournal(failures::add);
        failing.append(List.of(stored(ORDERS, 1, 10)), line, () -> failures.add(null));
        failing.failNext();
        failing.flush();
        failing.append(List.of(stored(ORDERS, 2, 10)), line, () -> failures.add(null));
        failing.flush();
        assertEquals(1, failures.size());
        assertEquals(List.of(), failing.messages());
    }

    @Test
    void roomIsWhatTheTestSays() {
        memory.setRoom(new Room(false, "full"));
        assertEquals("full", journal.room().reason());
    }
}
