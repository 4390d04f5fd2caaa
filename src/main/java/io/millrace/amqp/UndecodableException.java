package io.millrace.amqp;

/** The body of a frame cannot be decoded. Carries no stack trace, for it tells of the peer and not of us. */
final class UndecodableException extends Exception {
    private static final long serialVersionUID = 1L;

    UndecodableException(String message) {
        super(message, null, false, false);
    }
}
