package io.millrace.queue;

import io.millrace.loop.Loop;

/** What all queues on one loop share. */
public record LoopResources(Loop loop, Recorder recorder, MemoryBudget memory) {}
