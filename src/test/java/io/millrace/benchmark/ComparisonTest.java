package io.millrace.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.benchmark.Figures.Stage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final Figures BASELINE = figures(100, 1000, 500);

    private static Figures figures(double calibration, double nanos, double bytes) {
        return new Figures(calibration, Map.of("decode", new Stage(nanos, bytes)));
    }

    private static String verdict(Figures now) {
        return new Comparison(BASELINE, now).verdict("decode");
    }

    @Test
    void noiseIsAccepted() {
        Comparison comparison = new Comparison(BASELINE, figures(103, 1200, 504));

        assertEquals("ok", comparison.verdict("decode"));
        assertTrue(comparison.passes(), comparison.report());
    }

    @Test
    void moreAllocationIsARegressionWhateverTheTime() {
        assertEquals("ALLOCATES MORE", verdict(figures(100, 700, 540)));
    }

    @Test
    void moreTimeIsARegression() {
        Comparison comparison = new Comparison(BASELINE, figures(100, 1300, 500));

        assertEquals("SLOWER", comparison.verdict("decode"));
        assertFalse(comparison.passes());
        assertTrue(comparison.report().contains("SLOWER"), comparison.report());
    }

    @Test
    void theTimeOfTheBaselineIsScaledToTheMachine() {
        assertEquals("ok", verdict(figures(200, 2300, 500)));
        assertEquals("SLOWER", verdict(figures(50, 1000, 500)));
    }

    @Test
    void theTimeOfASyncIsTheDisks() {
        Map<String, Stage> before = Map.of("store, sync", new Stage(1000, 500));
        Map<String, Stage> slow = Map.of("store, sync", new Stage(9000, 500));
        Map<String, Stage> more = Map.of("store, sync", new Stage(1000, 600));

        assertTrue(new Comparison(new Figures(1, before), new Figures(1, slow)).passes());
        assertFalse(new Comparison(new Figures(1, before), new Figures(1, more)).passes());
    }

    @Test
    void aStageThatIsNotMeasuredAnyMoreIsARegressionAndANewOneIsNone() {
        Figures other = new Figures(100, Map.of("encode", new Stage(1, 1)));

        assertFalse(new Comparison(BASELINE, other).passes());
        assertEquals("new", new Comparison(BASELINE, other).verdict("encode"));
    }

    @Test
    void theStoredBaselineCanBeReadAndIsAsGoodAsItself() throws IOException {
        try (InputStream in = ComparisonTest.class.getResourceAsStream("baseline.json")) {
            String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            Figures stored = Figures.parse(json);

            assertEquals(json, stored.json());
            assertEquals(9, stored.stages().size());
            assertTrue(new Comparison(stored, stored).passes());
        }
    }
}
