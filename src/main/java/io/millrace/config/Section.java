package io.millrace.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * One mapping of the file, read key by key. A value that is wrong is noted with its line, and the default is returned in
 * its place, so that reading goes on to find all mistakes. Owned by one {@link ConfigFile#load} call.
 */
final class Section {
    private static final Node NOTHING = new ScalarNode(Tag.NULL, "", ScalarStyle.PLAIN);

    private final String path;
    private final Node node;
    private final List<String> allowed;
    private final Map<String, Node> values = new LinkedHashMap<>();
    private final Mistakes mistakes;
    private final Variables variables;

    /**
     * @param path of the section in the file, for messages; empty for the top
     * @param node anything but a mapping is noted as a mistake and read as an empty section
     */
    Section(String path, Node node, List<String> allowed, Mistakes mistakes, Variables variables) {
        this.path = path;
        this.node = node;
        this.allowed = allowed;
        this.mistakes = mistakes;
        this.variables = variables;
        if (node instanceof MappingNode mapping) {
            mapping.getValue().forEach(this::enter);
        } else if (!isNothing(node)) {
            wrong(node, described(node) + " is not allowed here; expected keys with values: " + names());
        }
    }

    private void enter(NodeTuple entry) {
        if (!(entry.getKeyNode() instanceof ScalarNode keyNode)) {
            wrong(entry.getKeyNode(), "a key must be plain text, one of " + names());
            return;
        }
        String key = keyNode.getValue();
        if (!allowed.contains(key)) {
            String hint = Keys.meant(key, allowed)
                    .map(meant -> "did you mean " + meant + "?")
                    .orElse("allowed: " + names());
            wrong(keyNode, "unknown key \"" + key + "\"; " + hint);
        } else if (values.containsKey(key)) {
            wrong(keyNode, "the key " + key + " is there already, in line " + Mistakes.lineOf(values.get(key)));
        } else {
            values.put(key, entry.getValueNode());
        }
    }

    private String names() {
        return String.join(", ", allowed);
    }

    private static boolean isNothing(Node node) {
        return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.NULL);
    }

    private static String described(Node node) {
        if (node instanceof ScalarNode scalar) {
            return "\"" + scalar.getValue() + "\"";
        }
        return node instanceof SequenceNode ? "a list" : "a mapping";
    }

    /** Where a value is, or the section when it is not given. */
    Node where(String key) {
        return values.getOrDefault(key, node);
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    void wrong(Node where, String text) {
        mistakes.add(where, path.isEmpty() ? text : path + ": " + text);
    }

    /** Notes that the value of a key is not what it must be. */
    void wrongValue(String key, String text) {
        mistakes.add(where(key), pathOf(key) + ": " + text);
    }

    private String pathOf(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** The text of a scalar, with variables replaced; empty when the key is absent or the value is no use (and noted). */
    Optional<String> text(String key) {
        return text(key, "");
    }

    private Optional<String> text(String key, String advice) {
        assert allowed.contains(key) : key + " is not among the known keys of " + path;
        Node value = values.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof ScalarNode scalar)) {
            wrongValue(key, described(value) + " is not allowed here; expected a single value");
            return Optional.empty();
        }
        if (isNothing(value)) {
            wrongValue(key, "has no value; give one, or leave the key out");
            return Optional.empty();
        }
        return variables.replaceIn(scalar.getValue(), text -> wrongValue(key, text + advice));
    }

    /** A text that is not empty and has no control characters. */
    Optional<String> name(String key) {
        return name(key, "");
    }

    private Optional<String> name(String key, String advice) {
        return text(key, advice).flatMap(text -> {
            if (text.isBlank()) {
                wrongValue(key, "must not be empty" + advice);
                return Optional.empty();
            }
            if (text.codePoints().anyMatch(Character::isISOControl)) {
                wrongValue(key, "must not have control characters");
                return Optional.empty();
            }
            return Optional.of(text);
        });
    }

    /** A name that has to be there. */
    Optional<String> requiredName(String key) {
        return requiredName(key, "");
    }

    /** @param advice follows what is wrong when there is none */
    Optional<String> requiredName(String key, String advice) {
        if (!has(key) && (node instanceof MappingNode)) {
            wrong(node, "the key " + key + " is missing" + advice);
        }
        return name(key, advice);
    }

    /** One name or a list of them, at least one. */
    List<String> requiredNames(String key) {
        assert allowed.contains(key) : key + " is not among the known keys of " + path;
        if (!(values.get(key) instanceof SequenceNode sequence)) {
            return requiredName(key).map(List::of).orElse(List.of());
        }
        List<String> names = new ArrayList<>();
        for (Node element : sequence.getValue()) {
            if (element instanceof ScalarNode scalar && !scalar.getValue().isBlank()) {
                variables
                        .replaceIn(scalar.getValue(), text -> wrongValue(key, text))
                        .ifPresent(names::add);
            } else {
                mistakes.add(element, pathOf(key) + ": " + described(element) + " is not allowed here; expected names");
            }
        }
        if (sequence.getValue().isEmpty()) {
            wrongValue(key, "must not be empty");
        }
        return names;
    }

    /** A value that is read by {@code reader}, which returns nothing for what is not {@code expected}. */
    <T> T read(String key, T byDefault, String expected, Function<String, Optional<T>> reader) {
        return text(key)
                .flatMap(text -> {
                    Optional<T> value = reader.apply(text);
                    if (value.isEmpty()) {
                        wrongValue(key, "\"" + text + "\" is not allowed; expected " + expected);
                    }
                    return value;
                })
                .orElse(byDefault);
    }

    long number(String key, long byDefault, long min, long max) {
        return read(key, byDefault, "a whole number from " + min + " to " + max, text -> wholeNumber(text, min, max));
    }

    static Optional<Long> wholeNumber(String text, long min, long max) {
        return text.matches("[0-9]{1,18}")
                ? Optional.of(Long.valueOf(text)).filter(n -> n >= min && n <= max)
                : Optional.empty();
    }

    long bytes(String key, long byDefault, long min, long max) {
        String expected = "a size from " + Quantity.ofBytes(min) + " to " + Quantity.ofBytes(max)
                + ", such as 4096, 64KiB or 16MiB";
        return read(key, byDefault, expected, text -> Quantity.bytes(text).filter(n -> n >= min && n <= max));
    }

    Duration duration(String key, Duration byDefault, Duration max) {
        String expected = "a duration up to " + max.toHours() + "h, such as 500ms, 60s or 2m, or 0 to do without";
        return read(key, byDefault, expected, text -> Quantity.duration(text).filter(time -> time.compareTo(max) <= 0));
    }

    boolean flag(String key, boolean byDefault) {
        return read(key, byDefault, "true or false", Section::truth);
    }

    static Optional<Boolean> truth(String text) {
        return switch (text) {
            case "true", "on", "yes" -> Optional.of(true);
            case "false", "off", "no" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    /** The section under a key; an empty one when it is absent. */
    Section section(String key, List<String> keys) {
        return new Section(pathOf(key), values.getOrDefault(key, NOTHING), keys, mistakes, variables);
    }

    boolean isText(String key) {
        return values.get(key) instanceof ScalarNode scalar && !isNothing(scalar);
    }

    /** The sections in the list under a key; none at all when the key is absent or has no value. */
    Optional<List<Section>> list(String key, List<String> keys) {
        Node value = values.get(key);
        if (value == null || isNothing(value)) {
            return Optional.empty();
        }
        List<Section> sections = new ArrayList<>();
        if (value instanceof SequenceNode sequence) {
            for (Node element : sequence.getValue()) {
                String elementPath = pathOf(key) + "[" + (sections.size() + 1) + "]";
                if (isNothing(element)) {
                    mistakes.add(
                            element, elementPath + ": is empty; expected keys with values: " + String.join(", ", keys));
                }
                sections.add(new Section(elementPath, element, keys, mistakes, variables));
            }
        } else {
            wrongValue(
                    key,
                    described(value) + " is not allowed here; expected a list, each entry of which begins with \"- \"");
        }
        return Optional.of(sections);
    }
}
