package io.millrace.security;

import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Checks names and passwords. */
public interface Authenticator {

    /** What came of a check. */
    enum Verdict {
        /** The user is known by this password. */
        RIGHT,

        WRONG,

        /** It cannot be said just now; the same user and password may be right a moment later. */
        UNDECIDED
    }

    /**
     * Checks a password, off the calling thread, for a hash is slow on purpose.
     *
     * @param loop where {@code answer} runs, exactly once
     */
    void check(String user, String password, Executor loop, Consumer<Verdict> answer);
}
