package io.millrace.broker;

import io.millrace.loop.Loop;
import io.millrace.queue.Source;
import io.millrace.queue.Target;

/** What an address leads to. Immutable; may be asked on any loop. */
public interface Node {

    /** The address in its plain form. */
    String address();

    /** Whether it lives only as long as the link that asked for it. */
    boolean temporary();

    /** The node as a place to send to, to be used on {@code loop} only. */
    Target target(Loop loop);

    /** The node as a place to receive from, to be used on {@code loop} only. */
    Source source(Loop loop);
}
