package io.millrace;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;
import org.junit.platform.commons.support.ReflectionSupport;

/**
 * The name of a test as the tables in {@code conformance/} give it: {@code Class#method} or {@code Class.Nested#method} of
 * {@code src/test/java}, {@code conformance/program}, or {@code conformance/program Class}.
 */
record TestReference(String text) {
    private static final Path TESTS = Path.of("src/test/java");
    private static final String PROGRAMS = "conformance/";

    /** What is wrong with it; empty when the test exists. */
    Optional<String> fault() {
        Optional<String> fault = text.startsWith(PROGRAMS) ? faultOfProgram() : faultOfMethod();
        return fault.map(reason -> "`" + text + "`: " + reason);
    }

    private Optional<String> faultOfProgram() {
        String[] parts = text.substring(PROGRAMS.length()).split(" ", 2);
        Path program = Path.of(PROGRAMS + parts[0]);
        if (!Files.exists(program.resolve("client.toml"))) {
            return Optional.of("there is no such program");
        }
        if (parts.length == 1 || mentions(program, parts[1] + ".class")) {
            return Optional.empty();
        }
        return Optional.of("the program does not run that class");
    }

    private static boolean mentions(Path program, String name) {
        return SourceFile.under(program.resolve("src")).stream()
                .anyMatch(source -> Stream.of(source.code().split("[^\\w.]+")).anyMatch(name::equals));
    }

    private Optional<String> faultOfMethod() {
        String[] parts = text.split("#", 2);
        if (parts.length == 1) {
            return Optional.of("the name of a test has a # before its method");
        }
        List<String> classes = classNames(parts[0]);
        if (classes.size() != 1) {
            return Optional.of("there are " + classes.size() + " test classes of that name");
        }
        return ReflectionSupport.tryToLoadClass(classes.get(0))
                .toOptional()
                .map(type -> hasTest(type, parts[1]) ? Optional.<String>empty() : Optional.of("it has no such test"))
                .orElse(Optional.of("there is no such nested class"));
    }

    /** The names by which the class may be loaded: of all files of that name one nested class each. */
    private static List<String> classNames(String name) {
        String[] nesting = name.split("\\.", 2);
        String inner = nesting.length == 1 ? "" : "$" + nesting[1].replace('.', '$');
        String file = nesting[0] + ".java";
        try (Stream<Path> files = Files.walk(TESTS)) {
            return files.filter(each -> each.getFileName().toString().equals(file))
                    .map(each -> TESTS.relativize(each).toString())
                    .map(each -> each.substring(0, each.length() - ".java".length())
                                    .replace('/', '.')
                                    .replace('\\', '.')
                            + inner)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean hasTest(Class<?> type, String name) {
        List<Method> found = ReflectionSupport.findMethods(
                type,
                method -> method.getName().equals(name) && AnnotationSupport.isAnnotated(method, Testable.class),
                HierarchyTraversalMode.TOP_DOWN);
        return !found.isEmpty();
    }
}
