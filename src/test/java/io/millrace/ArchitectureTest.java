package io.millrace;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.millrace.SourceFile.Place;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The house plan as a test: who may know whom, and how large things may grow. */
class ArchitectureTest {
    private static final String PROTON_TYPES = "org.apache.qpid.proton.amqp. org.apache.qpid.proton.codec.";
    private static final String VERTX = "io.vertx. io.netty. io.micrometer.";
    private static final String BELOW_BROKER = "loop config message selector journal queue security";

    /** What each package may use, besides the JDK and slf4j: packages of ours, and libraries (which end in a dot). */
    private static final Map<String, String> MAY_USE = Map.ofEntries(
            entry("loop", ""),
            entry("config", "org.snakeyaml.engine."),
            entry("message", PROTON_TYPES),
            entry("selector", "message"),
            entry("security", "config"),
            entry("journal", ""),
            entry("journal.h2", "journal org.h2."),
            entry("queue", "loop config message selector journal"),
            entry("broker", BELOW_BROKER),
            entry("admin", "broker " + BELOW_BROKER),
            entry("amqp", "admin broker " + BELOW_BROKER + " org.apache.qpid.proton."),
            entry("http", "admin config security io.prometheus.metrics. " + VERTX),
            entry("net", "amqp config security loop " + VERTX),
            entry("cli", "picocli."),
            // A client of any broker, so Proton's engine may be here; the broker itself is unknown.
            entry("bench", "picocli. org.HdrHistogram. org.apache.qpid.proton. " + VERTX),
            entry(
                    "main",
                    "admin bench broker amqp cli http journal.h2 net " + BELOW_BROKER
                            + " org.apache.qpid.proton.amqp. picocli. " + VERTX));

    private static final Set<String> MAY_LOCK = Set.of("loop", "journal.h2", "security", "net", "http", "main");

    private static final Pattern IMPORT = Pattern.compile("(?m)^import\\s+(?:static\\s+)?([\\w.]+)");

    /** A name of a foreign package, written out. */
    private static final Pattern FULL_NAME =
            Pattern.compile("(?<![\\w.])((?:io|org|com|net|picocli|javax|sun|jdk)\\.[a-z]\\w*\\.\\w[\\w.]*)");

    private static final Pattern LOCKING =
            Pattern.compile("\\b(synchronized|volatile|java\\.util\\.concurrent\\.locks|Atomic[A-Z]\\w*|\\w*Lock)\\b");
    private static final Pattern FORBIDDEN_NAME = Pattern.compile("\\w*(Manager|Helper|Util|Impl|Abstract)\\w*");
    private static final int MAX_CLASS_LINES = 450;
    private static final int MAX_METHOD_LINES = 60;

    private final List<SourceFile> sources = SourceFile.under(Path.of("src/main/java"));

    private static List<String> unknownPackages(List<SourceFile> files) {
        return files.stream()
                .filter(file ->
                        !MAY_USE.containsKey(file.room()) && !file.room().isEmpty())
                .map(file -> file.path() + ":1: package " + file.room() + " is not in the import table")
                .toList();
    }

    private static List<String> forbiddenUses(List<SourceFile> files) {
        List<String> offenders = new ArrayList<>();
        for (SourceFile file : files) {
            for (Place use : uses(file)) {
                if (!allowed(file.room(), use.name())) {
                    offenders.add(use + " must not be used in package " + file.room());
                }
            }
        }
        return offenders;
    }

    private static Set<Place> uses(SourceFile file) {
        Set<Place> uses = new LinkedHashSet<>(file.find(IMPORT));
        uses.addAll(file.find(FULL_NAME));
        return uses;
    }

    private static boolean allowed(String room, String use) {
        if (use.matches("javax?\\..*") || use.startsWith("org.slf4j.")) {
            return true;
        }
        Stream<String> permitted = Stream.of(MAY_USE.getOrDefault(room, "").split(" "));
        if (use.startsWith("io.millrace.")) {
            String used = roomOf(use);
            return used.equals(room) || permitted.anyMatch(used::equals);
        }
        return permitted.anyMatch(library -> library.endsWith(".") && use.startsWith(library));
    }

    /** The package of ours that a full name is in. */
    private static String roomOf(String use) {
        return Stream.of(use.substring("io.millrace.".length()).split("\\."))
                .takeWhile(part -> Character.isLowerCase(part.charAt(0)))
                .collect(Collectors.joining("."));
    }

    private static List<String> cycles(List<SourceFile> files) {
        Map<String, Set<String>> uses = new LinkedHashMap<>();
        for (SourceFile file : files) {
            Set<String> used = uses.computeIfAbsent(file.room(), room -> new TreeSet<>());
            uses(file).stream()
                    .map(Place::name)
                    .filter(name -> name.startsWith("io.millrace."))
                    .map(ArchitectureTest::roomOf)
                    .filter(room -> !room.equals(file.room()))
                    .forEach(used::add);
        }
        Set<String> cycles = new LinkedHashSet<>();
        uses.keySet().forEach(room -> follow(List.of(room), uses, cycles));
        return List.copyOf(cycles);
    }

    private static void follow(List<String> way, Map<String, Set<String>> uses, Set<String> cycles) {
        for (String next : uses.getOrDefault(way.get(way.size() - 1), Set.of())) {
            List<String> longer = new ArrayList<>(way);
            longer.add(next);
            if (next.equals(way.get(0))) {
                cycles.add(String.join(" -> ", longer));
            } else if (!way.contains(next)) {
                follow(longer, uses, cycles);
            }
        }
    }

    private static List<String> locking(List<SourceFile> files) {
        return files.stream()
                .filter(file -> !MAY_LOCK.contains(file.room()))
                .flatMap(file -> file.find(LOCKING).stream())
                .map(place -> place + " is for " + new TreeSet<>(MAY_LOCK) + " only")
                .toList();
    }

    private static List<String> forbiddenNames(List<SourceFile> files) {
        List<String> offenders = new ArrayList<>();
        for (SourceFile file : files) {
            file.types().stream()
                    .filter(type -> FORBIDDEN_NAME.matcher(type.name()).matches())
                    .forEach(type -> offenders.add(type + " is not a name of a concept"));
            if (Pattern.compile("\\b(util|helper|common|misc)s?\\b")
                    .matcher(file.room())
                    .find()) {
                offenders.add(file.path() + ":1: package " + file.room() + " is not a concept");
            }
        }
        return offenders;
    }

    private static List<String> tooLong(List<SourceFile> files) {
        Stream<String> classes = files.stream()
                .filter(file -> file.lines() > MAX_CLASS_LINES)
                .map(file -> file.path() + ":1: " + file.lines() + " lines are more than " + MAX_CLASS_LINES);
        Stream<String> methods = files.stream()
                .flatMap(file -> file.methods().stream())
                .filter(method -> method.lines() > MAX_METHOD_LINES)
                .map(method -> method + " has " + method.lines() + " lines, more than " + MAX_METHOD_LINES);
        return Stream.concat(classes, methods).toList();
    }

    private static List<String> undescribedPackages(List<SourceFile> files) {
        Set<String> described = files.stream()
                .filter(file -> file.path().endsWith("package-info.java"))
                .map(SourceFile::room)
                .collect(Collectors.toSet());
        return files.stream()
                .map(SourceFile::room)
                .distinct()
                .filter(room -> !described.contains(room))
                .map(room -> "package " + room + " has no package-info.java")
                .toList();
    }

    private static void assertNone(List<String> offenders) {
        if (!offenders.isEmpty()) {
            fail("\n" + String.join("\n", offenders));
        }
    }

    @Nested
    class TheSource {
        @Test
        void isThere() {
            assertTrue(sources.size() > 20, "run the tests in the directory of the project");
        }

        @Test
        void hasOnlyThePackagesOfTheImportTable() {
            assertNone(unknownPackages(sources));
        }

        @Test
        void usesInEachPackageOnlyWhatTheImportTableAllows() {
            assertNone(forbiddenUses(sources));
        }

        @Test
        void hasNoCycles() {
            assertNone(cycles(sources));
        }

        @Test
        void locksNothingInTheCore() {
            assertNone(locking(sources));
        }

        @Test
        void namesConcepts() {
            assertNone(forbiddenNames(sources));
        }

        @Test
        void keepsClassesAndMethodsShort() {
            assertNone(tooLong(sources));
        }

        @Test
        void describesEachPackage() {
            assertNone(undescribedPackages(sources));
        }
    }

    @Nested
    class EachRuleCanFail {
        private static List<SourceFile> file(String room, String code) {
            return List.of(SourceFile.of("Bad.java", "package io.millrace." + room + ";\n" + code));
        }

        @Test
        void onAPackageThatIsNotInTheTable() {
            assertEquals(1, unknownPackages(file("plumbing", "")).size());
            assertEquals(1, unknownPackages(file("queue.parts", "")).size());
            assertTrue(unknownPackages(file("queue", "")).isEmpty());
        }

        @Test
        void onForbiddenImports() {
            Map.of(
                            "queue", "import io.vertx.core.Vertx;",
                            "broker", "import org.apache.qpid.proton.amqp.Symbol;",
                            "message", "import org.apache.qpid.proton.engine.Link;",
                            "journal", "import org.h2.mvstore.MVStore;",
                            "loop", "import io.millrace.config.Config;",
                            "amqp", "import io.netty.buffer.ByteBuf;",
                            "http", "import io.millrace.broker.Node;",
                            "cli", "import static io.millrace.main.Main.main;",
                            "config", "import com.example.Anything;",
                            "security", "import picocli.CommandLine;")
                    .forEach((room, line) -> {
                        List<String> offenders = forbiddenUses(file(room, line));
                        assertEquals(1, offenders.size(), room + ": " + offenders);
                        assertTrue(offenders.get(0).startsWith("Bad.java:2: "), offenders::toString);
                    });
        }

        @Test
        void onForbiddenNamesWrittenOut() {
            assertEquals(
                    1,
                    forbiddenUses(file("queue", "class A { io.vertx.core.Vertx vertx; }"))
                            .size());
            assertEquals(
                    1,
                    forbiddenUses(file("queue", "class A { Object o = new io.millrace.amqp.B(); }"))
                            .size());
            assertEquals(
                    1,
                    forbiddenUses(file("queue", "class A { picocli.help.Ansi a; }"))
                            .size());
        }

        @Test
        void butNotOnWhatIsAllowed() {
            assertEquals(
                    List.of(), forbiddenUses(file("queue", "import io.millrace.journal.Fact;\nimport java.util.Map;")));
            assertEquals(
                    List.of(),
                    forbiddenUses(file("queue", "import org.slf4j.Logger;\nimport static java.util.Map.of;")));
            assertEquals(List.of(), forbiddenUses(file("journal.h2", "import org.h2.mvstore.MVStore;")));
            assertEquals(List.of(), forbiddenUses(file("amqp", "import org.apache.qpid.proton.engine.Link;")));
            assertEquals(
                    List.of(), forbiddenUses(file("queue", "/** {@link io.vertx.core.Vertx} */ // io.netty.buffer.B")));
            assertEquals(List.of(), forbiddenUses(file("queue", "class A { String s = \"io.vertx.core.Vertx\"; }")));
        }

        @Test
        void onImportsOfPackagesWithinAllowedOnes() {
            assertEquals(
                    1,
                    forbiddenUses(file("queue", "import io.millrace.journal.h2.Store;"))
                            .size());
        }

        @Test
        void onACycle() {
            List<SourceFile> circle = Stream.of(
                            file("queue", "import io.millrace.broker.B;"),
                            file("broker", "import io.millrace.amqp.C;"),
                            file("amqp", "import io.millrace.queue.A;"))
                    .flatMap(List::stream)
                    .toList();
            assertTrue(cycles(circle).contains("queue -> broker -> amqp -> queue"), () -> cycles(circle)
                    .toString());
            assertTrue(cycles(circle.subList(0, 2)).isEmpty());
        }

        @Test
        void onLocks() {
            assertEquals(
                    1, locking(file("queue", "class A { volatile int a; }")).size());
            assertEquals(
                    1,
                    locking(file("broker", "class A { synchronized void a() {} }"))
                            .size());
            assertEquals(1, locking(file("amqp", "class A { AtomicLong a; }")).size());
            assertEquals(
                    1, locking(file("message", "class A { ReentrantLock a; }")).size());
            assertEquals(List.of(), locking(file("net", "class A { volatile int a; }")));
        }

        @Test
        void onNames() {
            assertEquals(
                    1, forbiddenNames(file("queue", "class QueueManager {}")).size());
            assertEquals(
                    1,
                    forbiddenNames(file("queue", "class A { interface AbstractThing {} }"))
                            .size());
            assertEquals(
                    1,
                    forbiddenNames(file("queue", "record ByteUtils(int a) {}")).size());
            assertEquals(1, forbiddenNames(file("queue.util", "")).size());
            assertEquals(List.of(), forbiddenNames(file("queue", "class Window {}")));
        }

        @Test
        void onLength() {
            assertEquals(
                    1, tooLong(file("queue", "\n".repeat(450) + "class A {}")).size());
            String method = "class A {\n  int a(int b) throws X {\n" + "    for (int i = 0; i < b; i++) {}\n".repeat(59)
                    + "  }\n}";
            List<String> offenders = tooLong(file("queue", method));
            assertEquals(1, offenders.size());
            assertTrue(
                    offenders.get(0).startsWith("Bad.java:3: int a(int b) throws X has 61 lines"), offenders::toString);
            assertEquals(List.of(), tooLong(file("queue", method.replaceFirst("    for.*\n", ""))));
        }

        @Test
        void onAPackageWithoutDescription() {
            assertEquals(1, undescribedPackages(file("queue", "")).size());
            assertFalse(sources.isEmpty());
        }
    }
}
