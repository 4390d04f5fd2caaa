package io.millrace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** {@code conformance/SPEC.md} has each rule once, names only tests that there are, and says why where it names none. */
class SpecTableTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ([\\w.]+-\\d+) \\| ([^|\\n]+) \\| ([^|\\n]+) \\|$");
    private static final Pattern ANY_ROW = Pattern.compile("(?m)^\\| *[a-z0-9.]+-\\d.*$");
    private static final Pattern TESTS = Pattern.compile("`[^`]+`(, `[^`]+`)*");
    private static final Pattern OPEN = Pattern.compile("open `\\w+(\\.\\w+)?#\\w+`");
    private static final Pattern REASON = Pattern.compile("(n/a|deviates): .+");
    private static final Pattern NAME = Pattern.compile("`([^`]*#[^`]*)`");

    private static List<String> faults(String table) {
        List<String> faults = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        int rows = 0;
        for (Matcher row = ROW.matcher(table); row.find(); rows++) {
            String id = row.group(1);
            if (!ids.add(id)) {
                faults.add(id + " is there twice");
            }
            faultsOfProof(row.group(3).strip()).forEach(fault -> faults.add(id + ": " + fault));
        }
        long all = ANY_ROW.matcher(table).results().count();
        if (all != rows) {
            faults.add("of " + all + " rows " + rows + " have an id and three columns");
        }
        return faults;
    }

    private static List<String> faultsOfProof(String proof) {
        if (OPEN.matcher(proof).matches()) {
            return List.of();
        }
        if (!TESTS.matcher(proof).matches() && !REASON.matcher(proof).matches()) {
            return List.of("\"" + proof + "\" is neither a list of tests nor open, n/a or deviates");
        }
        return NAME.matcher(proof)
                .results()
                .flatMap(name -> new TestReference(name.group(1)).fault().stream())
                .toList();
    }

    @Test
    void theTableNamesOnlyTestsThatExist() throws IOException {
        String table = Files.readString(Path.of("conformance/SPEC.md"));

        assertTrue(ROW.matcher(table).results().count() > 200, "the table has lost most of its rules");
        List<String> faults = faults(table);
        assertTrue(faults.isEmpty(), () -> "conformance/SPEC.md:\n" + String.join("\n", faults));
    }

    @Nested
    class EachRuleCanFail {
        private static void expect(String fault, String proof) {
            assertEquals(List.of("1.2-3: " + fault), faults("| 1.2-3 | a rule | " + proof + " |\n"));
        }

        @Test
        void butNotOnWhatIsRight() {
            String table = """
                    | 1.2-1 | a rule | `SpecTableTest#theTableNamesOnlyTestsThatExist` |
                    | 1.2-2 | a rule | open `NoTest#yet` |
                    | x-1 | a rule | n/a: binds clients |
                    """;

            assertEquals(List.of(), faults(table));
        }

        @Test
        void onATestThatDoesNotExist() {
            expect("`NoTest#some`: there are 0 test classes of that name", "`NoTest#some`");
            expect("`NoTest#some`: there are 0 test classes of that name", "deviates: see `NoTest#some`");
        }

        @Test
        void onWhatIsNoProof() {
            expect("\"later\" is neither a list of tests nor open, n/a or deviates", "later");
        }

        @Test
        void onAnIdThatIsThereTwice() {
            String row = "| 1.2-3 | a rule | n/a: binds clients |\n";

            assertEquals(List.of("1.2-3 is there twice"), faults(row + row));
        }

        @Test
        void onARowThatIsNotWhole() {
            assertEquals(List.of("of 1 rows 0 have an id and three columns"), faults("| 1.2-3 | a rule |\n"));
        }
    }
}
