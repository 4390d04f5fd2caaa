package io.millrace.broker;

/**
 * What makes two links mean the same subscription. Of a durable one, being shared is a quality and not a part of its name.
 *
 * @param container whose it is; empty for one that is of no container
 * @param name as the client gave it
 * @param durable durable and volatile ones have names of their own
 * @param shared of a volatile one: whether it may have several links
 */
record SubscriptionKey(String container, String name, boolean durable, boolean shared) {

    /** A client that needs several links for one subscription appends a bar and a word of its own to the name. */
    static SubscriptionKey of(Link link, Terms terms) {
        boolean alone = !terms.durable() && !terms.shared();
        return new SubscriptionKey(
                terms.global() ? "" : link.container(),
                alone ? link.name() : baseName(link.name()),
                terms.durable(),
                terms.shared() && !terms.durable());
    }

    static String baseName(String link) {
        int bar = link.indexOf('|');
        return bar < 0 ? link : link.substring(0, bar);
    }
}
