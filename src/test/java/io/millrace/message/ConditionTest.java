package io.millrace.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConditionTest {
    private final Map<String, Object> details =
            new HashMap<>(Map.of("queue", "orders", "chain", List.of(Map.of("a", 1))));

    @Test
    void keepsTheInfoAsItWas() {
        Condition condition = new Condition(Condition.NOT_FOUND, "no such queue", details);
        details.put("queue", "changed");
        assertEquals("orders", condition.info().get("queue"));
        assertEquals(List.of(Map.of("a", 1)), condition.info().get("chain"));
        assertThrows(UnsupportedOperationException.class, () -> condition.info().clear());
    }

    @Test
    void aPeerMaySendNullInTheInfo() {
        details.put("limit", null);
        assertTrue(new Condition(Condition.NOT_FOUND, "", details).info().containsKey("limit"));
    }

    @Test
    void aPeerMaySendNullInTheAnnotationsOfModified() {
        details.put("limit", null);
        Outcome.Modified modified = new Outcome.Modified(true, false, details);
        details.clear();
        assertEquals(3, modified.annotations().size());
    }
}
