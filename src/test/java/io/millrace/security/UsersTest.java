package io.millrace.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.security.Authenticator.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class UsersTest {
    private static final Config.User SHOP =
            new Config.User("shop", PasswordHash.of("open sesame", 10).toString());

    private final Deque<Runnable> hashing = new ArrayDeque<>();
    private final Deque<Runnable> loop = new ArrayDeque<>();
    private final List<Verdict> answers = new ArrayList<>();
    private final Users users = new Users(List.of(SHOP), hashing::add);

    private void check(String user, String password) {
        users.check(user, password, loop::add, answers::add);
    }

    private static void runAll(Deque<Runnable> tasks) {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    private boolean answerTo(String user, String password) {
        check(user, password);
        runAll(hashing);
        runAll(loop);
        return answers.remove(answers.size() - 1) == Verdict.RIGHT;
    }

    @Nested
    class Answers {
        @Test
        void theRightPasswordIsRight() {
            assertTrue(answerTo("shop", "open sesame"));
        }

        @Test
        void aWrongPasswordIsWrongBeforeAndAfterTheRightOne() {
            assertFalse(answerTo("shop", "open barley"));
            assertTrue(answerTo("shop", "open sesame"));
            assertFalse(answerTo("shop", "open barley"));
        }

        @Test
        void anUnknownUserIsRefusedAndHashedAllTheSame() {
            check("nobody", "open sesame");
            assertEquals(1, hashing.size());
            runAll(hashing);
            runAll(loop);
            assertEquals(List.of(Verdict.WRONG), answers);
        }

        @Test
        void comeOnTheLoopAndNeverInsideTheCall() {
            check("shop", "open sesame");
            assertTrue(loop.isEmpty());
            runAll(hashing);
            assertTrue(answers.isEmpty());
            runAll(loop);
            assertEquals(List.of(Verdict.RIGHT), answers);
            check("shop", "open sesame");
            assertEquals(List.of(Verdict.RIGHT), answers);
            runAll(loop);
            assertEquals(List.of(Verdict.RIGHT, Verdict.RIGHT), answers);
        }

        @Test
        void namesAndPasswordsDoNotRunIntoEachOther() {
            assertTrue(answerTo("shop", "open sesame"));
            assertFalse(answerTo("sho", "popen sesame"));
        }
    }

    @Nested
    class Storms {
        @Test
        void aPasswordThatWasRightIsNotHashedAgain() {
            assertTrue(answerTo("shop", "open sesame"));
            check("shop", "open sesame");
            assertTrue(hashing.isEmpty());
            runAll(loop);
            assertEquals(List.of(Verdict.RIGHT), answers);
        }

        @Test
        void aThousandClientsInLineCostOneHash() {
            Users slow = new Users(
                    List.of(new Config.User(
                            "shop", PasswordHash.of("open sesame", 200_000).toString())),
                    hashing::add);
            for (int i = 0; i < 1000; i++) {
                slow.check("shop", "open sesame", loop::add, answers::add);
            }
            assertEquals(1000, hashing.size());
            hashing.remove().run();
            long start = System.nanoTime();
            runAll(hashing);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            // 999 hashes of this kind take more than a minute on any machine of today.
            assertTrue(millis < 20_000, millis + " ms");
            runAll(loop);
            assertEquals(1000, answers.stream().filter(Verdict.RIGHT::equals).count());
        }

        @Test
        void whenTooManyWaitTheAnswerIsLeftOpen() {
            Users full = new Users(List.of(SHOP), task -> {
                throw new RejectedExecutionException();
            });
            full.check("shop", "open sesame", loop::add, answers::add);
            runAll(loop);
            assertEquals(List.of(Verdict.UNDECIDED), answers);
        }
    }

    @Nested
    class TheOwnThread {
        @Test
        void answersAndEndsWithClose() throws Exception {
            CompletableFuture<String> answer = new CompletableFuture<>();
            Users owning = new Users(List.of(SHOP));
            try (owning) {
                owning.check(
                        "shop",
                        "open sesame",
                        Runnable::run,
                        verdict -> answer.complete(
                                verdict + " " + Thread.currentThread().isDaemon() + " "
                                        + Thread.currentThread().getName()));
                assertEquals("RIGHT true millrace-passwords", answer.get(30, TimeUnit.SECONDS));
            }
            CompletableFuture<Verdict> late = new CompletableFuture<>();
            owning.check("shop", "wrong", Runnable::run, late::complete);
            assertEquals(Verdict.UNDECIDED, late.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void aHashThatCannotBeReadNamesTheUser() {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> new Users(List.of(new Config.User("shop", "hunter2"))))
                .getMessage();
        assertTrue(message.startsWith("user shop: "), message);
        assertFalse(message.contains("hunter2"), message);
    }
}
