package io.millrace.main;

/** What the process says when it ends. Promised to users; see README.md. */
enum ExitCode {
    STOPPED(0),
    UNEXPECTED(1),
    BAD_CONFIG(2),
    CANNOT_LISTEN(3),
    STORE_UNUSABLE(4),
    STORE_FAILED(5);

    final int number;

    ExitCode(int number) {
        this.number = number;
    }
}
