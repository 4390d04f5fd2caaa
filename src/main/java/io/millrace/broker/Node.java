package io.millrace.broker;

import io.millrace.queue.Source;
import io.millrace.queue.Target;

/** What an address leads to, as one loop sees it; used on that loop only. */
public interface Node {

    /** The address in its plain form. */
    String address();

    /** Whether it lives only as long as the link that asked for it. */
    boolean temporary();

    /** The node as a place to send to. */
    Target target();

    /** The node as a place to receive from. */
    Source source();
}
