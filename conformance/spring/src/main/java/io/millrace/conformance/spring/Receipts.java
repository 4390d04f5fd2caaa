package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Texts;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageListener;
import jakarta.jms.TextMessage;
import java.util.function.Predicate;

/** A listener that remembers the texts it got, and throws where it is told to. */
final class Receipts extends Texts implements MessageListener {
    Receipts() {
        this(text -> false);
    }

    Receipts(Predicate<String> failing) {
        super(failing, Trial.PATIENCE);
    }

    @Override
    public void onMessage(Message message) {
        try {
            take(((TextMessage) message).getText());
        } catch (JMSException e) {
            throw new IllegalStateException(e);
        }
    }
}
