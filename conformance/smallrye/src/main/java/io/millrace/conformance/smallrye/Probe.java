package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Sends and receives beside the application, with the client that is below the connector. */
final class Probe implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(15);
    private static final Duration SILENCE = Duration.ofMillis(300);

    private final AmqpClient client;
    private final AmqpConnection connection;

    Probe(Broker broker) throws Exception {
        client = AmqpClient.create(new AmqpClientOptions().setHost(broker.host()).setPort(broker.port()));
        connection = result(client.connect());
    }

    private static <T> T result(Future<T> future) throws InterruptedException, ExecutionException, TimeoutException {
        return future.toCompletionStage().toCompletableFuture().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    }

    void send(String address, String... texts) throws Exception {
        AmqpSender sender = result(connection.createSender(address));
        for (String text : texts) {
            send(sender, AmqpMessage.create().withBody(text).durable(true).build());
        }
        result(sender.close());
    }

    void send(String address, AmqpMessage message) throws Exception {
        AmqpSender sender = result(connection.createSender(address));
        send(sender, message);
        result(sender.close());
    }

    private static void send(AmqpSender sender, AmqpMessage message) throws Exception {
        result(sender.sendWithAck(message));
    }

    /** The next message of a queue, which must come in time. */
    AmqpMessage next(String address) throws Exception {
        AmqpMessage message = poll(address, LIMIT);
        if (message == null) {
            throw new AssertionError("no message came from " + address + " within " + LIMIT.toSeconds() + " s");
        }
        return message;
    }

    /** That a queue has no message. */
    void expectEmpty(String address) throws Exception {
        AmqpMessage message = poll(address, SILENCE);
        if (message != null) {
            throw new AssertionError("nothing is left in " + address + ": but this is: " + message.bodyAsString());
        }
    }

    /** Takes all messages of a queue. Returns how many there were. */
    int drain(String address) throws Exception {
        int count = 0;
        while (poll(address, SILENCE) != null) {
            count++;
        }
        return count;
    }

    private AmqpMessage poll(String address, Duration limit) throws Exception {
        BlockingQueue<AmqpMessage> messages = new LinkedBlockingQueue<>();
        AmqpReceiver receiver = result(connection.createReceiver(
                address, new AmqpReceiverOptions().setMaxBufferedMessages(1).setAutoAcknowledgement(false)));
        // What comes after the first is not acknowledged, and goes back when the receiver closes.
        receiver.handler(messages::add);
        AmqpMessage message = messages.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
        if (message != null) {
            message.accepted();
        }
        result(receiver.close());
        return message;
    }

    @Override
    public void close() throws Exception {
        result(connection.close());
        result(client.close());
    }
}
