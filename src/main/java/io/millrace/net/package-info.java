/**
 * Sockets: listeners for AMQP clients and the {@link io.millrace.loop.Loop} over a Vert.x event loop.
 *
 * <p>A socket lives on one event loop, and so does the {@link io.millrace.net.Protocol} behind it. Bytes come in as the
 * pooled buffers of Netty, which are released when the protocol has seen them, and go out as one pooled buffer per write:
 * {@code NetSocket.handler} would copy each read to the heap. What a protocol writes while bytes are being read leaves in
 * one system call when the read is complete.
 *
 * <p>What waits in the sockets of a loop for peers that do not read is counted ({@link io.millrace.net.OutputMemory}), and the more
 * it is, the less may wait in each. It is beside the budget for messages, for Netty keeps it beside the heap.
 */
package io.millrace.net;
