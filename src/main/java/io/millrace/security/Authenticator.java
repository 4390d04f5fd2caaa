package io.millrace.security;

import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Checks names and passwords. */
public interface Authenticator {

    /**
     * Checks a password, off the calling thread, for a hash is slow on purpose.
     *
     * @param loop where {@code answer} runs, exactly once: whether the user is known by this password
     */
    void check(String user, String password, Executor loop, Consumer<Boolean> answer);
}
