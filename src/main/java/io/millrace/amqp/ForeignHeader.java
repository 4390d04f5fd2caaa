package io.millrace.amqp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/** Says what a client speaks that has begun with something else than a protocol header of AMQP 1.0. Stateless. */
final class ForeignHeader {
    private static final int SHOWN_BYTES = 8;
    private static final byte[] AMQP = {'A', 'M', 'Q', 'P'};
    private static final byte[] TLS = {0x16, 0x03};
    private static final Set<String> HTTP_METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PRI");

    /** What follows the four letters in the headers of older versions, of the specification and of clients. */
    private static final Map<String, String> OLDER_VERSIONS = Map.of(
            "00000901", "0-9-1 (RabbitMQ's)",
            "00090100", "0-9-1 (RabbitMQ's)",
            "01010901", "0-9-1 (RabbitMQ's)",
            "01010009", "0-9",
            "01010800", "0-8",
            "01010008", "0-8",
            "0101000a", "0-10");

    private ForeignHeader() {}

    /** Whether there may be more to come of a header that begins as those of all versions of AMQP do. */
    static boolean unfinished(byte[] bytes, int start, int end) {
        return end - start < SHOWN_BYTES && startsWith(bytes, start, end, AMQP);
    }

    /** What it is, and what to do about it. */
    static String described(byte[] bytes, int start, int end) {
        if (startsWith(bytes, start, end, TLS)) {
            return "the client speaks TLS (amqps://), which this version does not have: use amqp://";
        }
        String text = new String(bytes, start, Math.min(end - start, SHOWN_BYTES), StandardCharsets.ISO_8859_1);
        int space = text.indexOf(' ');
        if (space > 0 && HTTP_METHODS.contains(text.substring(0, space))) {
            return "the client speaks HTTP or WebSocket (amqpws://); AMQP clients use amqp://, health and metrics have"
                    + " their own port";
        }
        String hex = HexFormat.of().formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
        if (startsWith(bytes, start, end, AMQP) && OLDER_VERSIONS.containsKey(hex.substring(2 * AMQP.length))) {
            return "the client speaks AMQP " + OLDER_VERSIONS.get(hex.substring(2 * AMQP.length))
                    + "; Millrace speaks AMQP 1.0";
        }
        return "the client does not speak AMQP 1.0; its first bytes are "
                + HexFormat.ofDelimiter(" ").formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static boolean startsWith(byte[] bytes, int start, int end, byte[] beginning) {
        return end - start >= beginning.length
                && Arrays.equals(bytes, start, start + beginning.length, beginning, 0, beginning.length);
    }
}
