package io.millrace.journal;

/** The store cannot be opened, read or written. The message says what is wrong, with what, and how to mend it. */
public class JournalException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public JournalException(String message) {
        super(message);
    }

    public JournalException(String message, Throwable cause) {
        super(message, cause);
    }
}
