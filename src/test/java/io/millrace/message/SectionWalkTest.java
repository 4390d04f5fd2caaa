package io.millrace.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The sections of messages that come in pieces. */
class SectionWalkTest {
    private static final byte[] HEADER = {0, 0x53, 0x70, (byte) 0xc0, 2, 1, 0x41};
    private static final byte[] PROPERTIES = {0, (byte) 0x80, 0, 0, 0, 0, 0, 0, 0, 0x73, 0x45};
    private static final byte[] DATA = {0, 0x53, 0x75, (byte) 0xa0, 3, 1, 2, 3};
    private static final byte[] LONG_DATA = {0, 0x53, 0x75, (byte) 0xb0, 0, 0, 0, 2, 1, 2};
    private static final byte[] SEQUENCE = {0, 0x53, 0x76, 0x45};
    private static final byte[] VALUE = {0, 0x53, 0x77, 0x40};
    private static final byte[] DESCRIBED_VALUE = {
        0, 0x53, 0x77, 0, (byte) 0xa3, 1, 'x', (byte) 0x81, 1, 2, 3, 4, 5, 6, 7, 8
    };
    private static final byte[] FOOTER = {0, 0x53, 0x78, (byte) 0xc1, 1, 0};

    private static byte[] joined(byte[]... sections) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] section : sections) {
            all.writeBytes(section);
        }
        return all.toByteArray();
    }

    private static byte[] symbolicData() {
        byte[] symbol = "amqp:data:binary".getBytes(StandardCharsets.US_ASCII);
        return joined(new byte[] {0, (byte) 0xb3, 0, 0, 0, 16}, symbol, new byte[] {(byte) 0xa0, 0});
    }

    private static SectionWalk walked(byte[] bytes, int step) throws MalformedMessageException {
        SectionWalk walk = new SectionWalk();
        for (int at = 0; at < bytes.length; at += step) {
            walk.take(bytes, at, Math.min(step, bytes.length - at));
        }
        walk.end();
        return walk;
    }

    private static void assertBodyStart(int expected, byte[]... sections) throws MalformedMessageException {
        byte[] all = joined(sections);
        for (int step = 1; step <= all.length; step++) {
            assertEquals(expected, walked(all, step).bodyStart());
        }
    }

    private static void assertRefused(String reason, byte[]... sections) {
        byte[] all = joined(sections);
        for (int step = 1; step <= all.length; step++) {
            int cut = step;
            MalformedMessageException e = assertThrows(MalformedMessageException.class, () -> walked(all, cut));
            assertTrue(e.getMessage().contains(reason), e::getMessage);
        }
    }

    @Test
    void theBodyIsFoundHoweverTheBytesAreCut() throws Exception {
        assertBodyStart(0, DATA);
        assertBodyStart(18, HEADER, PROPERTIES, DATA, LONG_DATA, FOOTER);
        assertBodyStart(7, HEADER, SEQUENCE, SEQUENCE);
        assertBodyStart(7, HEADER, DESCRIBED_VALUE, FOOTER);
        assertBodyStart(7, HEADER, symbolicData(), DATA);
    }

    @Test
    void aFooterWithoutABodyIsWhereTheBodyWouldBe() throws Exception {
        assertBodyStart(7, HEADER, FOOTER);
    }

    @Test
    void aMessageOfWhichNoBodyHasComeSaysSo() throws Exception {
        assertFalse(walked(joined(HEADER, PROPERTIES), 5).inBody());
    }

    @Test
    void whatIsNoSectionIsRefused() {
        assertRefused("a section is expected at byte 7", HEADER, new byte[] {1});
        assertRefused("not that of a message section", new byte[] {0, 0x53, 0x10, 0x40});
        assertRefused("not that of a message section", new byte[] {0, 0x40, 0x40});
        assertRefused("not that of a message section", new byte[] {0, (byte) 0xb3, (byte) 0xff, 0, 0, 0, 0});
        assertRefused("unknown type constructor 0x12", new byte[] {0, 0x53, 0x75, 0x12});
        assertRefused(
                "nested descriptors", new byte[] {0, 0x53, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    }

    @Test
    void sectionsOutOfOrderAreRefused() {
        assertRefused("the header section at byte 11 must not follow the properties section", PROPERTIES, HEADER);
        assertRefused("must not follow", DATA, SEQUENCE);
        assertRefused("must not follow", VALUE, VALUE);
        assertRefused("must not follow", FOOTER, DATA);
    }

    @Test
    void aMessageThatEndsInTheMiddleIsRefused() {
        byte[] whole = joined(HEADER, LONG_DATA);
        for (int length = HEADER.length + 1; length < whole.length; length++) {
            assertRefused("ends in the middle", Arrays.copyOf(whole, length));
        }
    }

    @Test
    void itAgreesWithTheParserOfWholeMessages() {
        Random random = new Random(11);
        byte[] whole = joined(HEADER, PROPERTIES, DATA, LONG_DATA, FOOTER);
        int sound = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = whole.clone();
            int at = random.nextInt(DATA.length + LONG_DATA.length);
            if (at == 2 || at == DATA.length + 2) {
                // Another section, and only the parser looks into those.
                continue;
            }
            bytes[HEADER.length + PROPERTIES.length + at] = (byte) random.nextInt(256);
            boolean parses = parses(bytes);
            boolean walks = walks(bytes);
            assertEquals(parses, walks, () -> HexFormat.of().formatHex(bytes));
            sound += parses ? 1 : 0;
        }
        assertTrue(sound > 1000);
    }

    private static boolean parses(byte[] bytes) {
        try {
            Message.parse(bytes, 0);
            return true;
        } catch (MalformedMessageException e) {
            return false;
        }
    }

    private static boolean walks(byte[] bytes) {
        try {
            walked(bytes, 7);
            return true;
        } catch (MalformedMessageException e) {
            return false;
        }
    }
}
