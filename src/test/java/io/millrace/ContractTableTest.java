package io.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** {@code conformance/CONTRACT.md} has every point that clients need, and names only tests that there are. */
class ContractTableTest {
    private static final Pattern ROW =
            Pattern.compile("(?m)^\\| ([ABC][\\d.]+) \\|([^|\\n]*)\\|([^|\\n]*)\\|([^|\\n]*)\\|$");
    private static final Pattern ANY_ROW = Pattern.compile("(?m)^\\| *[A-Z]\\d.*$");
    private static final Pattern TEST = Pattern.compile("`([^`]+)`");
    private static final Pattern POINT = Pattern.compile("as ([ABC][\\d.]+)");
    private static final String NONE = "none yet";

    /** How many things each client of part C does. */
    private static final List<Integer> CLIENTS = List.of(9, 3, 3, 1, 2, 1, 3, 1, 1);

    private static String table() throws IOException {
        return Files.readString(Path.of("conformance/CONTRACT.md"));
    }

    private static List<String> points() {
        List<String> points = new ArrayList<>();
        IntStream.rangeClosed(1, 18).forEach(each -> points.add("A" + each));
        IntStream.rangeClosed(1, 43).forEach(each -> points.add("B" + each));
        for (int client = 1; client <= CLIENTS.size(); client++) {
            for (int point = 1; point <= CLIENTS.get(client - 1); point++) {
                points.add("C" + client + "." + point);
            }
        }
        return points;
    }

    /** The faults of a table that is to have these points. */
    private static List<String> faults(String table, List<String> points) {
        List<String> faults = new ArrayList<>();
        Map<String, String> rows = new LinkedHashMap<>();
        for (Matcher row = ROW.matcher(table); row.find(); ) {
            if (rows.put(row.group(1), row.group(3).strip()) != null) {
                faults.add(row.group(1) + " is there twice");
            }
            if (row.group(3).strip().equals(NONE) && row.group(4).isBlank()) {
                faults.add(row.group(1) + ": \"" + NONE + "\", and the last column does not say why");
            }
        }
        long all = ANY_ROW.matcher(table).results().count();
        if (all != rows.size()) {
            faults.add("of " + all + " rows " + rows.size() + " have a point and four columns");
        }
        points.stream().filter(each -> !rows.containsKey(each)).forEach(each -> faults.add(each + " is not there"));
        rows.keySet().stream()
                .filter(each -> !points.contains(each))
                .forEach(each -> faults.add(each + " is no point"));
        rows.forEach((point, tests) -> Stream.of(tests.split(",", -1))
                .flatMap(each -> fault(each.strip(), rows).stream())
                .forEach(each -> faults.add(point + ": " + each)));
        return faults;
    }

    private static Optional<String> fault(String cell, Map<String, String> rows) {
        Matcher test = TEST.matcher(cell);
        if (test.matches()) {
            return new TestReference(test.group(1)).fault();
        }
        Matcher point = POINT.matcher(cell);
        if (point.matches()) {
            return rows.containsKey(point.group(1))
                    ? Optional.empty()
                    : Optional.of(point.group(1) + " is not in the table");
        }
        return cell.equals(NONE) ? Optional.empty() : Optional.of("\"" + cell + "\" is no test, nor \"" + NONE + "\"");
    }

    @Test
    void theTableHasEveryPointAndNamesOnlyTestsThatExist() throws IOException {
        List<String> faults = faults(table(), points());

        assertTrue(faults.isEmpty(), () -> "conformance/CONTRACT.md:\n" + String.join("\n", faults));
    }

    @Nested
    class EachRuleCanFail {
        private static final String HERE = "`ContractTableTest#theTableHasEveryPointAndNamesOnlyTestsThatExist`";

        private static String row(String point, String tests) {
            return "| " + point + " | what it says | " + tests + " | " + (tests.equals(NONE) ? "why " : "") + "|\n";
        }

        private static void expect(String fault, String tests) {
            assertEquals(List.of("A1: " + fault), faults(row("A1", tests), List.of("A1")));
        }

        @Test
        void butNotOnWhatIsRight() {
            String tests = HERE + ", `ContractTableTest.EachRuleCanFail#butNotOnWhatIsRight`, `conformance/orders`, "
                    + "`conformance/joram SelectorTest`";
            String table = row("A1", tests) + row("A2", NONE) + row("C1.1", "as A2, " + HERE);

            assertEquals(List.of(), faults(table, List.of("A1", "A2", "C1.1")));
        }

        @Test
        void onAPointThatIsNotThere() {
            assertEquals(List.of("B1 is not there"), faults(row("A1", NONE), List.of("A1", "B1")));
        }

        @Test
        void onAPointTooMany() {
            assertEquals(List.of("A2 is no point"), faults(row("A1", NONE) + row("A2", NONE), List.of("A1")));
        }

        @Test
        void onAPointThatIsThereTwice() {
            assertTrue(faults(row("A1", NONE) + row("A1", NONE), List.of("A1")).contains("A1 is there twice"));
        }

        @Test
        void onARowThatIsNotWhole() {
            assertEquals(
                    List.of("of 2 rows 1 have a point and four columns"),
                    faults(row("A1", NONE) + "| A2 | what it says |\n", List.of("A1")));
        }

        @Test
        void onAPointThatHasNoTestForNoReason() {
            assertEquals(
                    List.of("A1: \"none yet\", and the last column does not say why"),
                    faults("| A1 | what it says | none yet | |\n", List.of("A1")));
        }

        @Test
        void onATestThatDoesNotExist() {
            expect("`NoTest#some`: there are 0 test classes of that name", "`NoTest#some`");
            expect("`ContractTableTest.No#some`: there is no such nested class", "`ContractTableTest.No#some`");
            expect("`ContractTableTest#some`: it has no such test", "`ContractTableTest#some`");
            expect("`ContractTableTest#table`: it has no such test", "`ContractTableTest#table`");
            expect("`ContractTableTest`: the name of a test has a # before its method", HERE + ", `ContractTableTest`");
        }

        @Test
        void onAProgramThatDoesNotExist() {
            expect("`conformance/none`: there is no such program", "`conformance/none`");
            expect("`conformance/joram NoTest`: the program does not run that class", "`conformance/joram NoTest`");
        }

        @Test
        void onWhatIsNoTest() {
            expect("\"\" is no test, nor \"none yet\"", "");
            expect("\"later\" is no test, nor \"none yet\"", "later");
            expect("B9 is not in the table", "as B9");
        }
    }
}
