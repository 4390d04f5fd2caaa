package io.millrace.bench;

/** When messages should be sent so that all producers together keep a rate; each has its turn. */
record Pace(long startNanos, int producers, double messagesPerSecond) {
    /** The time for the message with this sequence number of this producer. */
    long due(int producer, long sequence) {
        double position = (double) sequence * producers + producer;
        return startNanos + (long) (position * 1e9 / messagesPerSecond);
    }
}
