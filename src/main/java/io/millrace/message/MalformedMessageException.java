package io.millrace.message;

/** The bytes are not an AMQP message (AMQP 1.0, part 3, section 3.2). The text names the section and the position. */
public final class MalformedMessageException extends Exception {
    private static final long serialVersionUID = 1L;

    public MalformedMessageException(String message) {
        super(message);
    }
}
