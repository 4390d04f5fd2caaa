package io.millrace;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A Java source file as the architecture test sees it.
 *
 * @param path for messages
 * @param code the text, with everything inside comments, strings and characters replaced by blanks; lines stay lines
 */
record SourceFile(String path, String code) {
    private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");
    private static final Pattern TYPE = Pattern.compile("\\b(?:class|interface|record|enum)\\s+(\\w+)");
    private static final Pattern METHOD_END = Pattern.compile("\\)\\s*(throws\\s+[\\w.,\\s]+)?$");
    private static final Pattern NO_METHOD = Pattern.compile(
            "\\b(if|for|while|switch|catch|synchronized|try|record|class|interface|enum|new|return)\\b");

    /** A name found in the code, or a type or method that begins there. */
    record Place(String path, int line, String name, int lines) {
        @Override
        public String toString() {
            return path + ":" + line + ": " + name;
        }
    }

    static SourceFile of(String path, String text) {
        return new SourceFile(path, blanked(text));
    }

    static List<SourceFile> under(Path root) {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .map(SourceFile::read)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SourceFile read(Path file) {
        try {
            return of(file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The package below the base package; empty for the base package itself. */
    String room() {
        Matcher match = PACKAGE.matcher(code);
        String name = match.find() ? match.group(1) : "(none)";
        return name.equals("io.millrace") ? "" : name.replaceFirst("^io\\.millrace\\.", "");
    }

    int lines() {
        return (int) code.lines().count();
    }

    /** All places where a pattern is found in the code; the name is group 1, or all of the match if there is none. */
    List<Place> find(Pattern pattern) {
        List<Place> places = new ArrayList<>();
        Matcher match = pattern.matcher(code);
        while (match.find()) {
            String name = match.groupCount() == 0 ? match.group() : match.group(1);
            places.add(new Place(path, lineAt(match.start()), name, 1));
        }
        return places;
    }

    List<Place> types() {
        return find(TYPE);
    }

    /** The methods and constructors with bodies, and how many lines each takes. */
    List<Place> methods() {
        List<Place> methods = new ArrayList<>();
        int header = 0;
        for (int at = 0; at < code.length(); at++) {
            char c = code.charAt(at);
            if (c == '{' && isMethod(code.substring(header, at).strip())) {
                int start = header + leadingBlanks(header);
                int end = closing(at);
                String name = code.substring(start, at).strip().replaceAll("\\s+", " ");
                methods.add(new Place(path, lineAt(start), name, lineAt(end) - lineAt(start) + 1));
            }
            if (c == '{' || c == '}' || c == ';') {
                header = at + 1;
            }
        }
        return methods;
    }

    private static boolean isMethod(String header) {
        boolean balanced = header.chars().filter(c -> c == '(').count()
                == header.chars().filter(c -> c == ')').count();
        return balanced
                && METHOD_END.matcher(header).find()
                && !NO_METHOD.matcher(header).find();
    }

    private int leadingBlanks(int from) {
        int at = from;
        while (Character.isWhitespace(code.charAt(at))) {
            at++;
        }
        return at - from;
    }

    private int closing(int open) {
        int depth = 0;
        for (int at = open; at < code.length(); at++) {
            depth += code.charAt(at) == '{' ? 1 : code.charAt(at) == '}' ? -1 : 0;
            if (depth == 0) {
                return at;
            }
        }
        return code.length();
    }

    private int lineAt(int position) {
        return 1
                + (int) code.substring(0, position)
                        .chars()
                        .filter(c -> c == '\n')
                        .count();
    }

    private static String blanked(String text) {
        StringBuilder code = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int end = endOfLiteral(text, at);
            if (end == at) {
                code.append(text.charAt(at++));
            } else {
                while (at < end) {
                    code.append(text.charAt(at++) == '\n' ? '\n' : ' ');
                }
            }
        }
        return code.toString();
    }

    /** Where the comment, string or character that begins at {@code at} ends; {@code at} if none begins there. */
    private static int endOfLiteral(String text, int at) {
        if (text.startsWith("//", at)) {
            return orEnd(text, text.indexOf('\n', at));
        }
        if (text.startsWith("/*", at)) {
            return orEnd(text, text.indexOf("*/", at + 2) + 2);
        }
        if (text.startsWith("\"\"\"", at)) {
            return afterQuote(text, at + 3, "\"\"\"");
        }
        char c = text.charAt(at);
        return c == '"' || c == '\'' ? afterQuote(text, at + 1, String.valueOf(c)) : at;
    }

    private static int orEnd(String text, int position) {
        return position < 2 ? text.length() : position;
    }

    private static int afterQuote(String text, int from, String quote) {
        int at = from;
        while (at < text.length() && !text.startsWith(quote, at)) {
            at += text.charAt(at) == '\\' ? 2 : 1;
        }
        return Math.min(at + quote.length(), text.length());
    }
}
