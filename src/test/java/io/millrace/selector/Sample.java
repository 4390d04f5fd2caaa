package io.millrace.selector;

import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;

/** Messages to select from. */
final class Sample {
    private Sample() {}

    static Candidate with(Consumer<org.apache.qpid.proton.message.Message> fill) {
        return with(fill, 0);
    }

    static Candidate with(Consumer<org.apache.qpid.proton.message.Message> fill, int deliveryCount) {
        org.apache.qpid.proton.message.Message written = org.apache.qpid.proton.message.Message.Factory.create();
        fill.accept(written);
        byte[] buffer = new byte[8192];
        int size = written.encode(buffer, 0, buffer.length);
        record Delivered(Message message, int deliveryCount) implements Candidate {}
        try {
            return new Delivered(Message.parse(Arrays.copyOf(buffer, size), 0), deliveryCount);
        } catch (MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    static Candidate properties(Map<String, ?> properties) {
        return with(message -> message.setApplicationProperties(new ApplicationProperties(new HashMap<>(properties))));
    }

    static Candidate annotations(Map<String, ?> annotations) {
        Map<Symbol, Object> symbols = new HashMap<>();
        annotations.forEach((name, value) -> symbols.put(Symbol.valueOf(name), value));
        return with(message -> message.setMessageAnnotations(new MessageAnnotations(symbols)));
    }
}
