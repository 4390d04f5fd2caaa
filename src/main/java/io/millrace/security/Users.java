package io.millrace.security;

import io.millrace.config.Config;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The users of the configuration. May be asked on any thread.
 *
 * <p>A password is hashed on a thread of its own, for a hash is slow on purpose. The last password that was right for a
 * user is remembered as an HMAC under a key that only this object has, so that a thousand clients that come back at once
 * cost one hash, and a flood of wrong passwords does not keep out users that have logged in before. An unknown user costs
 * as much as a wrong password.
 */
public final class Users implements Authenticator, AutoCloseable {
    /** Checks that wait for the hashing thread; more are told to come again, unheard, which a flood of them deserves. */
    static final int MAX_WAITING = 10_000;

    private static final String FINGERPRINT = "HmacSHA256";

    private final Map<String, PasswordHash> hashes = new LinkedHashMap<>();
    private final PasswordHash nobody;
    private final Map<String, byte[]> rightOnes = new ConcurrentHashMap<>();
    private final SecretKeySpec key;
    private final Executor hashing;
    private final Runnable stop;

    /**
     * Users whose passwords are checked on a daemon thread, which ends with {@link #close}.
     *
     * @throws IllegalArgumentException if a password hash cannot be read; names the user
     */
    public Users(List<Config.User> users) {
        this(users, hashingThread());
    }

    private Users(List<Config.User> users, ThreadPoolExecutor thread) {
        this(users, thread, thread::shutdownNow);
    }

    /** Users whose passwords are checked on an executor that belongs to the caller. */
    public Users(List<Config.User> users, Executor hashing) {
        this(users, hashing, () -> {});
    }

    private Users(List<Config.User> users, Executor hashing, Runnable stop) {
        for (Config.User user : users) {
            try {
                hashes.put(user.name(), PasswordHash.parse(user.passwordHash()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("user " + user.name() + ": " + e.getMessage(), e);
            }
        }
        this.nobody = slowest(hashes.values());
        this.hashing = hashing;
        this.stop = stop;
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        this.key = new SecretKeySpec(random, FINGERPRINT);
    }

    private static PasswordHash slowest(Collection<PasswordHash> hashes) {
        PasswordHash slowest =
                hashes.isEmpty() ? PasswordHash.ofNobody() : hashes.iterator().next();
        for (PasswordHash hash : hashes) {
            slowest = hash.iterations() > slowest.iterations() ? hash : slowest;
        }
        return slowest.unmatchable();
    }

    private static ThreadPoolExecutor hashingThread() {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), task -> {
                    Thread thread = new Thread(task, "millrace-passwords");
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    @Override
    public void check(String user, String password, Executor loop, Consumer<Verdict> answer) {
        byte[] fingerprint = fingerprint(user, password);
        if (isRemembered(user, fingerprint)) {
            loop.execute(() -> answer.accept(Verdict.RIGHT));
            return;
        }
        try {
            hashing.execute(() -> {
                Verdict verdict = isRight(user, password, fingerprint) ? Verdict.RIGHT : Verdict.WRONG;
                loop.execute(() -> answer.accept(verdict));
            });
        } catch (RejectedExecutionException e) {
            loop.execute(() -> answer.accept(Verdict.UNDECIDED));
        }
    }

    private boolean isRight(String user, String password, byte[] fingerprint) {
        // Another check of the same password may have been ahead in the line.
        if (isRemembered(user, fingerprint)) {
            return true;
        }
        PasswordHash hash = hashes.get(user);
        boolean matches = (hash == null ? nobody : hash).matches(password);
        boolean right = matches && hash != null;
        if (right) {
            rightOnes.put(user, fingerprint);
        }
        return right;
    }

    private boolean isRemembered(String user, byte[] fingerprint) {
        byte[] right = rightOnes.get(user);
        return right != null && MessageDigest.isEqual(right, fingerprint);
    }

    private byte[] fingerprint(String user, String password) {
        try {
            Mac mac = Mac.getInstance(FINGERPRINT);
            mac.init(key);
            mac.update(user.getBytes(StandardCharsets.UTF_8));
            mac.update((byte) 0);
            return mac.doFinal(password.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java runtime has no " + FINGERPRINT, e);
        }
    }

    /** Stops the hashing thread, if it is ours. Checks that still wait are not answered any more. */
    @Override
    public void close() {
        stop.run();
    }
}
