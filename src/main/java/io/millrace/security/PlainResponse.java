package io.millrace.security;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What a client says with the SASL mechanism PLAIN (RFC 4616): authzid NUL authcid NUL passwd. Immutable.
 *
 * @param user the authcid
 * @param password the passwd, in plain
 */
public record PlainResponse(String user, String password) {
    /** The mechanism's name. */
    public static final String MECHANISM = "PLAIN";

    /** RFC 4616, section 2: each part has at most 255 octets. */
    private static final int MAX_PART_BYTES = 255;

    /**
     * Reads a response. A client that asks to act for somebody else than it logs in as (an authzid that is not the
     * authcid) is refused like one that is malformed: there is nobody to act for.
     *
     * @return empty when it must be refused
     */
    public static Optional<PlainResponse> parse(byte[] response) {
        int first = indexOfNul(response, 0);
        int second = first < 0 ? -1 : indexOfNul(response, first + 1);
        if (second < 0 || indexOfNul(response, second + 1) >= 0) {
            return Optional.empty();
        }
        Optional<String> actsFor = text(response, 0, first);
        Optional<String> user = text(response, first + 1, second).filter(text -> !text.isEmpty());
        Optional<String> password = text(response, second + 1, response.length).filter(text -> !text.isEmpty());
        if (actsFor.isEmpty() || user.isEmpty() || password.isEmpty()) {
            return Optional.empty();
        }
        return actsFor.get().isEmpty() || actsFor.equals(user)
                ? Optional.of(new PlainResponse(user.get(), password.get()))
                : Optional.empty();
    }

    private static int indexOfNul(byte[] bytes, int from) {
        for (int at = from; at < bytes.length; at++) {
            if (bytes[at] == 0) {
                return at;
            }
        }
        return -1;
    }

    private static Optional<String> text(byte[] bytes, int from, int to) {
        if (to - from > MAX_PART_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "PLAIN response of " + user;
    }
}
