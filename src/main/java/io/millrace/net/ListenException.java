package io.millrace.net;

/** A socket cannot be listened on. The message names the listener and its address, says why, and what to do. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Puts the message together.
     *
     * @param what the listener, for people
     */
    public ListenException(String what, String host, int port, Throwable cause) {
        super("cannot listen on " + host + ":" + port + " (" + what + "): " + reason(host, cause), cause);
    }

    private static String reason(String host, Throwable cause) {
        String text = String.valueOf(cause.getMessage());
        if (text.contains("already in use")) {
            return "the port is taken by another process; stop that one, or choose another port in the config";
        }
        if (text.contains("ermission denied")) {
            return "no permission; ports below 1024 need a privilege, so choose a higher one in the config";
        }
        if (text.contains("Cannot assign") || cause instanceof java.net.UnknownHostException) {
            return "'" + host + "' is no address of this machine; use 127.0.0.1, 0.0.0.0 or one that is";
        }
        return text;
    }
}
