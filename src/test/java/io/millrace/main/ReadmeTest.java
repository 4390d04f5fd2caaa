package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmeTest {
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```java\n(.*?public class (\\w+).*?)```");

    @TempDir
    private Path directory;

    @Test
    void everyExampleInJavaCompiles() throws Exception {
        List<Path> files = new ArrayList<>();
        for (MatchResult example : EXAMPLE.matcher(Files.readString(Path.of("README.md")))
                .results()
                .toList()) {
            files.add(Files.writeString(directory.resolve(example.group(2) + ".java"), example.group(1)));
        }
        assertEquals(2, files.size());
        assertEquals("", compile(files));
    }

    private String compile(List<Path> files) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            Iterable<? extends JavaFileObject> sources = manager.getJavaFileObjectsFromPaths(files);
            List<String> options =
                    List.of("-d", directory.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
            boolean good = compiler.getTask(said, manager, null, options, null, sources)
                    .call();
            assertTrue(good, said::toString);
        }
        return said.toString();
    }

    @Test
    void theJvmTakesItsOptions() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(java, "@config/jvm.options", "-version")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(Files.readString(Path.of("README.md")).contains("java @config/jvm.options -jar target/"));
    }

    @Test
    void theVersionsThatEmbeddingNeedsAreThoseOfTheProject() throws Exception {
        String readme = Files.readString(Path.of("README.md"));
        String pom = Files.readString(Path.of("pom.xml"));
        for (String[] each : new String[][] {{"netty-bom", "netty"}, {"proton-j", "proton"}}) {
            Matcher version =
                    Pattern.compile("<" + each[1] + "\\.version>([^<]+)<").matcher(pom);
            assertTrue(version.find(), each[1]);
            String wanted = "<artifactId>" + each[0] + "</artifactId>\n      <version>" + version.group(1) + "<";
            assertTrue(readme.contains(wanted), wanted);
        }
    }

    @Test
    void theExitCodesAreThoseOfTheProgram() throws Exception {
        String readme = Files.readString(Path.of("README.md"));
        for (ExitCode code : ExitCode.values()) {
            assertTrue(readme.contains("\n| " + code.number + " | "), code::toString);
        }
    }
}
