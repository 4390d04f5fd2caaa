package io.millrace.selector;

/** The text is not a selector, or the map not a filter. The message says where, what was found and what was expected. */
public final class SelectorException extends Exception {
    private static final long serialVersionUID = 1L;

    public SelectorException(String message) {
        super(message);
    }

    /** @param position of the offending character, from 0 */
    SelectorException(int position, String problem) {
        super("at character " + (position + 1) + " of the selector: " + problem);
    }
}
