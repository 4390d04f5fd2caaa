package io.millrace.conformance.smallrye;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Receives from the channel {@code in}. Of a text that begins with "bad" the first delivery fails. */
@ApplicationScoped
public class Inbox {
    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final Duration SILENCE = Duration.ofMillis(300);

    private final BlockingQueue<Message<String>> messages = new LinkedBlockingQueue<>();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();

    @Incoming("in")
    public CompletionStage<Void> receive(Message<String> message) {
        messages.add(message);
        return message.getPayload().startsWith("bad") && failed.add(message.getPayload())
                ? message.nack(new IllegalStateException("a fault of the application"))
                : message.ack();
    }

    public Message<String> nextMessage() throws InterruptedException {
        Message<String> message = messages.poll(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        if (message == null) {
            throw new AssertionError("no message came within " + LIMIT.toSeconds() + " s");
        }
        return message;
    }

    public String next() throws InterruptedException {
        return nextMessage().getPayload();
    }

    /** That nothing more comes for a while. */
    public void staysEmpty(String why) throws InterruptedException {
        Message<String> message = messages.poll(SILENCE.toMillis(), TimeUnit.MILLISECONDS);
        if (message != null) {
            throw new AssertionError(why + ": came all the same: " + message.getPayload());
        }
    }
}
