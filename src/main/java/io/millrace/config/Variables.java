package io.millrace.config;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Puts the values of environment variables in the place of {@code ${NAME}} and {@code ${NAME:-default}}. */
final class Variables {
    private static final Pattern REFERENCE = Pattern.compile(
            "\\$\\$\\{|\\$\\{(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<default>[^}]*))?\\}|(?<broken>\\$\\{)");

    private final Function<String, Optional<String>> environment;

    Variables(Function<String, Optional<String>> environment) {
        this.environment = environment;
    }

    /**
     * The text with its references replaced.
     *
     * @param mistakes is told of each variable that is not set and has no default
     * @return empty when there was a mistake
     */
    Optional<String> replaceIn(String text, Consumer<String> mistakes) {
        Matcher match = REFERENCE.matcher(text);
        StringBuilder replaced = new StringBuilder();
        boolean whole = true;
        while (match.find()) {
            Optional<String> value = valueOf(match);
            if (value.isEmpty()) {
                mistakes.accept(
                        match.group("broken") != null
                                ? "\"" + text + "\" has a reference that is not ${NAME} or ${NAME:-default};"
                                        + " write $${ for a plain ${"
                                : "the environment variable " + match.group("name") + " is not set; set it, or give a"
                                        + " default as ${" + match.group("name") + ":-default}");
                whole = false;
            }
            match.appendReplacement(replaced, Matcher.quoteReplacement(value.orElse("")));
        }
        match.appendTail(replaced);
        return whole ? Optional.of(replaced.toString()) : Optional.empty();
    }

    private Optional<String> valueOf(Matcher reference) {
        if (reference.group().equals("$${")) {
            return Optional.of("${");
        }
        if (reference.group("name") == null) {
            return Optional.empty();
        }
        // As in a shell, ":-" stands in for an empty value too.
        Optional<String> value = environment.apply(reference.group("name"));
        return reference.group("default") == null
                ? value
                : value.filter(set -> !set.isEmpty()).or(() -> Optional.of(reference.group("default")));
    }
}
