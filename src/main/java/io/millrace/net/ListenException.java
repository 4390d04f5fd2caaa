package io.millrace.net;

/** A socket cannot be listened on. The message names the listener and its address, says why, and what to do. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Puts the message together.
     *
     * @param what the listener, for people
     * @param section of the config that says where it listens
     * @param instead what else in the config would do; may be empty
     */
    public ListenException(String what, String host, int port, String section, String instead, Throwable cause) {
        super(
                "cannot listen on " + host + ":" + port + " (" + what + "): " + reason(host, section, instead, cause),
                cause);
    }

    private static String reason(String host, String section, String instead, Throwable cause) {
        String text = String.valueOf(cause.getMessage());
        String key = section + ".port" + (instead.isEmpty() ? "" : " (or \"" + instead + "\")");
        if (text.contains("already in use")) {
            return "the port is taken by another process; stop that one, or set " + key + " in the config";
        }
        if (text.contains("ermission denied")) {
            return "no permission; ports below 1024 need a privilege, so set a higher " + key + " in the config";
        }
        if (text.contains("Cannot assign") || cause instanceof java.net.UnknownHostException) {
            return "'" + host + "' is no address of this machine; set " + section
                    + ".host to 127.0.0.1, 0.0.0.0 or one that is";
        }
        return text;
    }
}
