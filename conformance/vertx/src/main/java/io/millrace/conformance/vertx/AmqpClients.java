package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.vertx.amqp.AmqpClient;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonLink;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** What the tests of vertx-amqp-client have in common: clients of the broker, and waiting for futures. */
class AmqpClients {
    private static final int LIMIT_SECONDS = 15;

    final Broker broker;
    private final Vertx vertx;

    AmqpClients(Broker broker, Vertx vertx) {
        this.broker = broker;
        this.vertx = vertx;
    }

    AmqpClientOptions options() {
        return new AmqpClientOptions().setHost(broker.host()).setPort(broker.port());
    }

    AmqpConnection connect() throws Exception {
        return connect(options());
    }

    AmqpConnection connect(AmqpClientOptions options) throws Exception {
        return result(AmqpClient.create(vertx, options).connect());
    }

    /** Sends texts, each accepted before the next. */
    void send(AmqpConnection connection, String address, String... texts) throws Exception {
        AmqpSender sender = result(connection.createSender(address));
        for (String text : texts) {
            result(sender.sendWithAck(text(text)));
        }
        result(sender.close());
    }

    /** An address that the broker made, and that is gone. */
    static String goneAddress(AmqpConnection connection) throws Exception {
        AmqpReceiver receiver = result(connection.createDynamicReceiver());
        result(receiver.close());
        return receiver.address();
    }

    static AmqpMessage text(String body) {
        return AmqpMessage.create().withBody(body).durable(true).build();
    }

    /** Attaches a receiver whose messages go to an inbox. */
    static AmqpReceiver receive(AmqpConnection connection, String address, AmqpReceiverOptions options, Inbox<AmqpMessage> inbox)
            throws Exception {
        return result(connection.createReceiver(address, options)).handler(inbox::add);
    }

    static AmqpReceiverOptions byHand() {
        return new AmqpReceiverOptions().setAutoAcknowledgement(false);
    }

    /**
     * Fails with the condition if the peer closes a link soon. It may say so a moment after the attach, for a link that is refused is
     * attached first.
     */
    static void isRefused(ProtonLink<?> link) throws Exception {
        Expect.within(Duration.ofSeconds(5), "the link is closed", () -> link.getRemoteCondition() != null
                && link.getRemoteCondition().getCondition() != null);
        throw new IllegalStateException(link.getRemoteCondition().toString());
    }

    /** Attaches a link in whatever way. */
    interface Attach {
        ProtonLink<?> to(AmqpConnection connection, String address) throws Exception;
    }

    /** That a link to an address that is gone is refused, and nothing else suffers. */
    void refusesWhatIsGone(String link, Attach attach) throws Exception {
        AmqpConnection connection = connect();
        String address = goneAddress(connection);
        Exception failure = Expect.failure(
                Exception.class, link + " an address that is gone", () -> isRefused(attach.to(connection, address)));
        Expect.that(failure.getMessage().contains("amqp:not-found"), "amqp:not-found in: " + failure.getMessage());
        send(connection, broker.address("vertx.not-refused"), "the connection is still good");
        result(connection.close());
    }

    /** The result of a future, which must be there in time; throws what it failed with. */
    static <T> T result(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception) {
                throw (Exception) e.getCause();
            }
            throw e;
        }
    }
}
