package io.millrace.conformance.vertx;

import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonClient;
import io.vertx.proton.ProtonClientOptions;
import io.vertx.proton.ProtonConnection;
import io.vertx.proton.ProtonDelivery;
import io.vertx.proton.ProtonHelper;
import io.vertx.proton.ProtonLink;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import java.util.concurrent.Callable;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.message.Message;

/** A connection of vertx-proton. What is done with it is done on its event loop; the test waits. */
final class Peer implements AutoCloseable {
    final ProtonConnection connection;
    private final Context context;

    private Peer(ProtonConnection connection, Context context) {
        this.connection = connection;
        this.context = context;
    }

    /** What a receiver got. */
    static final class Received {
        final ProtonDelivery delivery;
        final Message message;

        Received(ProtonDelivery delivery, Message message) {
            this.delivery = delivery;
            this.message = message;
        }

        Object body() {
            return ((AmqpValue) message.getBody()).getValue();
        }

        @Override
        public String toString() {
            return String.valueOf(message.getBody());
        }
    }

    /** Connects, and waits for the peer's open. User and password may be null. */
    static Peer connect(Vertx vertx, ProtonClientOptions options, String host, int port, String user, String password)
            throws Exception {
        return connect(vertx, options, host, port, user, password, null);
    }

    /** The same, with the name of a container if it is not null. */
    static Peer connect(
            Vertx vertx, ProtonClientOptions options, String host, int port, String user, String password, String container)
            throws Exception {
        Promise<Peer> opened = Promise.promise();
        ProtonClient.create(vertx).connect(options, host, port, user, password, connected -> {
            if (connected.failed()) {
                opened.fail(connected.cause());
                return;
            }
            ProtonConnection connection = connected.result();
            Context context = vertx.getOrCreateContext();
            connection.openHandler(open -> {
                if (open.failed()) {
                    opened.fail(open.cause());
                } else {
                    opened.complete(new Peer(connection, context));
                }
            });
            if (container != null) {
                connection.setContainer(container);
            }
            connection.open();
        });
        return AmqpClients.result(opened.future());
    }

    /** Does something on the event loop of the connection. */
    <T> T on(Callable<T> work) throws Exception {
        Promise<T> done = Promise.promise();
        context.runOnContext(ignored -> {
            try {
                done.complete(work.call());
            } catch (Exception e) {
                done.fail(e);
            }
        });
        return AmqpClients.result(done.future());
    }

    /** Opens a link, and waits for the peer's attach. */
    <L extends ProtonLink<L>> L open(L link) throws Exception {
        Promise<L> opened = Promise.promise();
        on(() -> link.openHandler(open -> {
                    if (open.failed()) {
                        opened.fail(open.cause());
                    } else {
                        opened.complete(link);
                    }
                })
                .open());
        return AmqpClients.result(opened.future());
    }

    ProtonSender sender(String address) throws Exception {
        return on(() -> connection.createSender(address));
    }

    ProtonReceiver receiver(String address, Inbox<Received> inbox) throws Exception {
        return on(() -> connection
                .createReceiver(address)
                .handler((delivery, message) -> inbox.add(new Received(delivery, message))));
    }

    static Source source(ProtonReceiver receiver) {
        return (Source) receiver.getSource();
    }

    static Target target(ProtonSender sender) {
        return (Target) sender.getTarget();
    }

    /** Sends, and waits until the peer has settled. */
    DeliveryState send(ProtonSender sender, Message message) throws Exception {
        Promise<DeliveryState> settled = Promise.promise();
        on(() -> sender.send(message, delivery -> {
            if (delivery.remotelySettled()) {
                settled.complete(delivery.getRemoteState());
            }
        }));
        return AmqpClients.result(settled.future());
    }

    /** Sends texts to an address, each accepted before the next. */
    void sendTexts(String address, String... texts) throws Exception {
        ProtonSender sender = open(sender(address));
        for (String text : texts) {
            send(sender, text(text));
        }
        on(sender::close);
    }

    static Message text(String body) {
        Message message = ProtonHelper.message(body);
        message.setDurable(true);
        return message;
    }

    @Override
    public void close() throws Exception {
        Promise<Void> closed = Promise.promise();
        on(() -> connection
                .disconnectHandler(ignored -> closed.tryComplete())
                .closeHandler(ignored -> closed.tryComplete())
                .close());
        AmqpClients.result(closed.future());
        on(() -> {
            connection.disconnect();
            return null;
        });
    }
}
