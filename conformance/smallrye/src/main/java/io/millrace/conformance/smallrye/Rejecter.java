package io.millrace.conformance.smallrye;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Fails every delivery of the channel {@code in}. */
@ApplicationScoped
public class Rejecter {
    private final AtomicInteger attempts = new AtomicInteger();

    @Incoming("in")
    public CompletionStage<Void> receive(Message<String> message) {
        attempts.incrementAndGet();
        return message.nack(new IllegalStateException("a fault of the application"));
    }

    public int attempts() {
        return attempts.get();
    }
}
