package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import java.util.List;
import java.util.concurrent.Executor;

/** Facts that are to be kept together, and whom to tell when they are. */
record Batch(List<Fact> facts, Executor loop, Runnable durable) {}
