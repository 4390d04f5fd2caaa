package io.millrace.conformance.smallrye;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.concurrent.CompletableFuture;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;

/** Sends to the channel {@code out}. */
@ApplicationScoped
public class Outbox {
    private static final int BUFFER = 1000;

    @Inject
    @Channel("out")
    @OnOverflow(value = OnOverflow.Strategy.BUFFER, bufferSize = BUFFER)
    Emitter<String> emitter;

    /** Sends a text. Completes when the broker has accepted it. */
    public CompletableFuture<Void> send(String text, Object... metadata) {
        CompletableFuture<Void> accepted = new CompletableFuture<>();
        emitter.send(Message.of(text, Metadata.of(metadata))
                .withAck(() -> {
                    accepted.complete(null);
                    return CompletableFuture.completedFuture(null);
                })
                .withNack(reason -> {
                    accepted.completeExceptionally(reason);
                    return CompletableFuture.completedFuture(null);
                }));
        return accepted;
    }
}
