package io.millrace.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Reads the configuration from a YAML file. What is not in the file has its default; {@code config/README.md} is the
 * reference. Values may refer to environment variables: <code>${NAME}</code> or <code>${NAME:-default}</code>.
 */
public final class ConfigFile {
    /** A configuration is written by hand; more is some other file. */
    private static final long MAX_FILE_BYTES = 4L << 20;

    private ConfigFile() {}

    /**
     * Loads a file, with the environment of this process. Blocking.
     *
     * @throws ConfigException with every mistake in it
     */
    public static Config load(Path file) throws ConfigException {
        return load(file, name -> Optional.ofNullable(System.getenv(name)));
    }

    /**
     * Loads a file, with the environment of this process, and lets somebody who knows selectors look at those in it. Blocking.
     *
     * @param selectorFault what is wrong with a selector; empty when it is right
     */
    public static Config loadChecked(Path file, Function<String, Optional<String>> selectorFault)
            throws ConfigException {
        return load(file, name -> Optional.ofNullable(System.getenv(name)), selectorFault);
    }

    /** Loads a file, with an environment given. Blocking. */
    public static Config load(Path file, Function<String, Optional<String>> environment) throws ConfigException {
        return load(file, environment, selector -> Optional.empty());
    }

    private static Config load(
            Path file, Function<String, Optional<String>> environment, Function<String, Optional<String>> selectorFault)
            throws ConfigException {
        Mistakes mistakes = new Mistakes(file.toString());
        String text = "";
        try {
            if (Files.isRegularFile(file) && Files.size(file) > MAX_FILE_BYTES) {
                mistakes.addAtLine(
                        0, "the file is larger than " + Quantity.ofBytes(MAX_FILE_BYTES) + "; is it a configuration?");
            } else {
                text = Files.readString(file);
            }
        } catch (IOException e) {
            mistakes.addAtLine(0, reason(file, e));
        }
        mistakes.throwIfAny();
        return parse(file.toString(), text, environment, selectorFault);
    }

    private static String reason(Path file, IOException e) {
        if (e instanceof NoSuchFileException) {
            return "there is no such file (looked for " + file.toAbsolutePath() + ")";
        }
        if (e instanceof AccessDeniedException) {
            return "this user (" + System.getProperty("user.name") + ") may not read the file";
        }
        if (e instanceof CharacterCodingException) {
            return "the file is not text in UTF-8";
        }
        return Files.isDirectory(file) ? "this is a directory; name a file in it" : "cannot be read: " + e.getMessage();
    }

    /**
     * Reads a text.
     *
     * @param name what to call it in messages
     */
    public static Config parse(String name, String yaml, Function<String, Optional<String>> environment)
            throws ConfigException {
        return parse(name, yaml, environment, selector -> Optional.empty());
    }

    private static Config parse(
            String name,
            String yaml,
            Function<String, Optional<String>> environment,
            Function<String, Optional<String>> selectorFault)
            throws ConfigException {
        Mistakes mistakes = new Mistakes(name);
        Node root = compose(name, yaml, mistakes);
        mistakes.throwIfAny();
        Section top = new Section("", root, Keys.TOP, mistakes, new Variables(environment));
        Config config = new ConfigReader(top, selectorFault).read();
        mistakes.throwIfAny();
        return config;
    }

    private static Node compose(String name, String yaml, Mistakes mistakes) {
        LoadSettings settings = LoadSettings.builder().setLabel(name).build();
        Node nothing = new ScalarNode(Tag.NULL, "", ScalarStyle.PLAIN);
        try {
            return new Compose(settings).composeString(yaml).orElse(nothing);
        } catch (MarkedYamlEngineException e) {
            int line =
                    e.getProblemMark().or(e::getContextMark).map(Mark::getLine).orElse(-1) + 1;
            mistakes.addAtLine(line, "not valid YAML: " + problem(e));
        } catch (ReaderException e) {
            int line = 1
                    + (int) yaml.codePoints()
                            .limit(e.getPosition())
                            .filter(c -> c == '\n')
                            .count();
            mistakes.addAtLine(
                    line,
                    "not valid YAML: the character U+" + String.format("%04X", e.getCodePoint()) + " is not allowed");
        } catch (YamlEngineException e) {
            mistakes.addAtLine(0, "not valid YAML: " + e.getMessage());
        } catch (StackOverflowError e) {
            // The parser knows no limit of its own, and calls itself for each bracket.
            mistakes.addAtLine(0, "not valid YAML: lists or mappings are nested too deeply; four levels are enough");
        }
        return nothing;
    }

    private static String problem(MarkedYamlEngineException e) {
        String context = e.getContext() == null ? "" : e.getContext() + ": ";
        int line = e.getContextMark().map(Mark::getLine).orElse(-1) + 1;
        String tab = e.getProblem() != null && e.getProblem().contains("TAB") ? "; indent with spaces" : "";
        return context + e.getProblem() + (line > 0 ? " (begun in line " + line + ")" : "") + tab;
    }
}
