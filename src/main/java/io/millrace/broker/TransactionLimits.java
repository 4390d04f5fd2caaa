package io.millrace.broker;

/**
 * What one transaction may hold in memory.
 *
 * @param operations messages sent and deliveries settled
 * @param bytes sizes of their messages
 */
record TransactionLimits(int operations, long bytes) {
    private static final int OPERATIONS = 100_000;

    /** Those of a broker whose messages may take so much of the heap. */
    static TransactionLimits of(long memoryBytes) {
        return new TransactionLimits(OPERATIONS, memoryBytes / 4);
    }
}
