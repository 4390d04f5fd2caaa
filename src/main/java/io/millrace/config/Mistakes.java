package io.millrace.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/** What has been found wrong in one file so far. Owned by one {@link ConfigFile#load} call. */
final class Mistakes {
    private final String file;
    private final List<ConfigException.Mistake> found = new ArrayList<>();

    Mistakes(String file) {
        this.file = file;
    }

    void add(Node where, String text) {
        addAtLine(lineOf(where), text);
    }

    /** @param line counted from 1, or 0 for the whole file */
    void addAtLine(int line, String text) {
        found.add(new ConfigException.Mistake(file, line, text));
    }

    static int lineOf(Node node) {
        return node.getStartMark().map(Mark::getLine).orElse(-1) + 1;
    }

    void throwIfAny() throws ConfigException {
        if (!found.isEmpty()) {
            found.sort(Comparator.comparingInt(ConfigException.Mistake::line));
            throw new ConfigException(found);
        }
    }
}
