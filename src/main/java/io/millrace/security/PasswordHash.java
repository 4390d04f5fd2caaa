package io.millrace.security;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A salted password hash, slow on purpose: PBKDF2 with HMAC-SHA-512 (RFC 8018). Immutable, owned by nobody.
 *
 * <p>Its text is {@code pbkdf2-sha512:<iterations>:<salt in Base64>:<hash in Base64>}; it is what the config file holds.
 */
public final class PasswordHash {
    private static final String SCHEME = "pbkdf2-sha512";

    /** What OWASP asks of this function; some 0.1 s of one core. */
    private static final int ITERATIONS = 210_000;

    /** A hash from a foreign hand must not stop the broker for minutes at each login. */
    private static final int MAX_ITERATIONS = 10_000_000;

    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 64;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Pattern FORM =
            Pattern.compile(SCHEME + ":([0-9]{1,8}):([A-Za-z0-9+/]{2,}={0,2}):([A-Za-z0-9+/]{2,}={0,2})");

    private final int iterations;
    private final byte[] salt;
    private final byte[] hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash) {
        this.iterations = iterations;
        this.salt = salt;
        this.hash = hash;
    }

    /** Hashes a password with a salt of its own. Takes some 0.1 s. */
    public static PasswordHash of(String password) {
        return of(password, ITERATIONS);
    }

    static PasswordHash of(String password, int iterations) {
        byte[] salt = new byte[SALT_BYTES];
        RANDOM.nextBytes(salt);
        return new PasswordHash(iterations, salt, derive(password, iterations, salt, HASH_BYTES));
    }

    /**
     * Reads the text of a hash.
     *
     * @throws IllegalArgumentException if it is none; the message does not repeat the text, which may be a password
     */
    public static PasswordHash parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "not a password hash; expected " + SCHEME + ":<iterations>:<salt in Base64>:<hash in Base64>");
        }
        int iterations = Integer.parseInt(form.group(1));
        if (iterations < 1 || iterations > MAX_ITERATIONS) {
            throw new IllegalArgumentException(
                    "a password hash must have 1 to " + MAX_ITERATIONS + " iterations, not " + iterations);
        }
        return new PasswordHash(iterations, decode("salt", form.group(2)), decode("hash", form.group(3)));
    }

    private static byte[] decode(String part, String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the " + part + " in a password hash is not Base64", e);
        }
    }

    /** Whether this is the hash of the password. Takes as long for a wrong one. */
    public boolean matches(String password) {
        return MessageDigest.isEqual(hash, derive(password, iterations, salt, hash.length));
    }

    /** A hash that no password is known for, as slow to check as this one. */
    PasswordHash unmatchable() {
        byte[] otherSalt = new byte[SALT_BYTES];
        byte[] otherHash = new byte[HASH_BYTES];
        RANDOM.nextBytes(otherSalt);
        RANDOM.nextBytes(otherHash);
        return new PasswordHash(iterations, otherSalt, otherHash);
    }

    /** An unmatchable hash with the iterations of new ones. */
    static PasswordHash ofNobody() {
        return new PasswordHash(ITERATIONS, new byte[0], new byte[0]).unmatchable();
    }

    int iterations() {
        return iterations;
    }

    private static byte[] derive(String password, int iterations, byte[] salt, int bytes) {
        char[] characters = password.toCharArray();
        PBEKeySpec spec = new PBEKeySpec(characters, salt, iterations, bytes * 8);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java runtime has no PBKDF2WithHmacSHA512", e);
        } finally {
            spec.clearPassword();
            Arrays.fill(characters, '\0');
        }
    }

    /** The text of the hash. */
    @Override
    public String toString() {
        Base64.Encoder base64 = Base64.getEncoder();
        return SCHEME + ":" + iterations + ":" + base64.encodeToString(salt) + ":" + base64.encodeToString(hash);
    }
}
