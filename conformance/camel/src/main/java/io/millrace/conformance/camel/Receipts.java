package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Texts;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** The end of a route that remembers the texts it got, and throws where it is told to. */
final class Receipts extends Texts implements Processor {
    Receipts() {
        this(text -> false);
    }

    Receipts(Predicate<String> failing) {
        super(failing, Trial.PATIENCE);
    }

    @Override
    public void process(Exchange exchange) {
        take(exchange.getMessage().getBody(String.class));
    }
}
