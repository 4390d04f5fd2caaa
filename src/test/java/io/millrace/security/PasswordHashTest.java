package io.millrace.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.ConfigException;
import io.millrace.config.ConfigFile;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PasswordHashTest {
    /** PBKDF2-HMAC-SHA512 of "password", salt "salt", 1 iteration: a published test vector. */
    private static final String VECTOR = "pbkdf2-sha512:1:c2FsdA==:"
            + "hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg==";

    @Nested
    class Matching {
        @Test
        void thePasswordMatchesItsHashAndNoOther() {
            PasswordHash hash = PasswordHash.of("s3cret ünïcode", 10);
            assertTrue(hash.matches("s3cret ünïcode"));
            assertFalse(hash.matches("s3cret unicode"));
            assertFalse(hash.matches(""));
        }

        @Test
        void aHashReadBackFromItsTextMatches() {
            PasswordHash hash = PasswordHash.parse(PasswordHash.of("orders", 10).toString());
            assertTrue(hash.matches("orders"));
            assertFalse(hash.matches("Orders"));
        }

        @Test
        void thePublishedTestVectorMatches() {
            assertTrue(PasswordHash.parse(VECTOR).matches("password"));
            assertEquals(VECTOR, PasswordHash.parse(VECTOR).toString());
        }

        @Test
        void twoHashesOfOnePasswordDiffer() {
            assertNotEquals(
                    PasswordHash.of("same", 10).toString(),
                    PasswordHash.of("same", 10).toString());
        }

        @Test
        void theHashOfNobodyCostsAsMuchAndMatchesNothing() {
            PasswordHash nobody = PasswordHash.of("x", 17).unmatchable();
            assertEquals(17, nobody.iterations());
            assertFalse(nobody.matches("x"));
            assertFalse(nobody.matches(""));
        }
    }

    @Nested
    class Text {
        @Test
        void theConfigFileTakesWhatIsWritten() throws ConfigException {
            String hash = PasswordHash.of("orders", 10).toString();
            Config config = ConfigFile.parse(
                    "test.yaml", "users: [{name: shop, password: \"" + hash + "\"}]", name -> Optional.empty());
            assertEquals(hash, config.users().get(0).passwordHash());
        }

        @Test
        void newHashesAreSlowOnPurpose() {
            assertEquals(210_000, PasswordHash.ofNobody().iterations());
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    "hunter2",
                    "pbkdf2-sha512:1:c2FsdA==",
                    "pbkdf2-sha512:0:c2FsdA==:c2FsdA==",
                    "pbkdf2-sha512:99999999:c2FsdA==:c2FsdA==",
                    "pbkdf2-sha512:1:c2FsdA===:c2FsdA==",
                    "pbkdf2-sha512:1:c2FsdA==:c2FsdA==x",
                    "pbkdf2-sha1:1:c2FsdA==:c2FsdA=="
                })
        void whatIsNoHashIsRefusedAndNotRepeated(String text) {
            String message = assertThrows(IllegalArgumentException.class, () -> PasswordHash.parse(text))
                    .getMessage();
            assertFalse(!text.isEmpty() && message.contains(text), message);
        }
    }
}
