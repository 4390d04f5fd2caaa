package io.millrace.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainResponseTest {
    private static Optional<PlainResponse> parse(String text) {
        return PlainResponse.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void userAndPasswordAreFound() {
        assertEquals(Optional.of(new PlainResponse("tim", "tanstaaftanstaaf")), parse("\0tim\0tanstaaftanstaaf"));
        assertEquals(Optional.of(new PlainResponse("ü", "€")), parse("\0ü\0€"));
    }

    @Test
    void aUserMayNameItselfAsTheOneToActFor() {
        assertEquals(Optional.of(new PlainResponse("tim", "pw")), parse("tim\0tim\0pw"));
    }

    @Test
    void nobodyMayActForAnother() {
        assertEquals(Optional.empty(), parse("root\0tim\0pw"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "\0", "\0\0", "tim", "tim\0pw", "\0tim", "\0tim\0", "\0\0pw", "\0tim\0p\0w", "\0tim\0pw\0"})
    void malformedResponsesAreRefused(String text) {
        assertEquals(Optional.empty(), parse(text));
    }

    @Test
    void bytesThatAreNotUtf8AreRefused() {
        assertEquals(Optional.empty(), PlainResponse.parse(new byte[] {0, 'a', 0, (byte) 0xc3}));
        assertEquals(Optional.empty(), PlainResponse.parse(new byte[] {0, (byte) 0xff, 0, 'p'}));
    }

    @Test
    void partsOfMoreThan255BytesAreRefused() {
        assertEquals(
                Optional.of("x".repeat(255)),
                parse("\0" + "x".repeat(255) + "\0pw").map(PlainResponse::user));
        assertEquals(Optional.empty(), parse("\0" + "x".repeat(256) + "\0pw"));
        assertEquals(Optional.empty(), parse("\0tim\0" + "x".repeat(256)));
    }

    @Test
    void thePasswordIsNotPrinted() {
        assertFalse(new PlainResponse("tim", "hunter2").toString().contains("hunter2"));
    }
}
