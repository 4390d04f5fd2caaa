package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Applications as they are run: users, health checks, a broker that is killed. */
final class Running {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final Duration WITH_A_CRASH = Duration.ofSeconds(60);
    private static final int LIMIT_SECONDS = 15;

    private final Broker broker;

    Running(Broker broker) {
        this.broker = broker;
    }

    void run(Tap tap) {
        tap.test("a user with the right password sends and receives", this::user);
        tap.test("an application with a wrong password is not ready", this::wrongPassword);
        tap.test("an application is ready and alive, also after a time without messages", this::healthy);
        tap.test("an application goes on by itself after a crash, and nothing accepted is lost", WITH_A_CRASH, this::crash);
        tap.test("an application goes on by itself after a restart, and nothing accepted is lost", WITH_A_CRASH, this::restart);
    }

    private void user() throws Exception {
        String address = broker.address("smallrye.user");
        App.Channels channels =
                new App.Channels(broker).as(broker, broker.password()).outgoing(address).incoming(address);
        try (App app = App.start(channels, Outbox.class, Inbox.class)) {
            app.get(Outbox.class).send("from a user").get(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.equal("from a user", app.get(Inbox.class).next(), "payload");
        }
    }

    private void wrongPassword() throws Exception {
        App.Channels channels = new App.Channels(broker)
                .as(broker, "not " + broker.password())
                .incoming(broker.address("smallrye.wrong"), "reconnect-attempts", "1");
        try (App app = App.start(channels, Inbox.class)) {
            app.get(Inbox.class).staysEmpty("an application that is not let in");
            Expect.that(!app.ready(), "not ready");
        }
    }

    private void healthy() throws Exception {
        String address = broker.address("smallrye.health");
        App.Channels channels = new App.Channels(broker)
                .outgoing(address, "lazy-client", "false", "credit-retrieval-period", "200")
                .incoming(address);
        try (App app = App.start(channels, Outbox.class, Inbox.class)) {
            Expect.within(SOON, "it is ready", app::ready);
            app.get(Outbox.class).send("x").get(LIMIT_SECONDS, TimeUnit.SECONDS);
            app.get(Inbox.class).next();
            // It asks for its credit fifteen times, and nothing else happens: the connection and its links must stay.
            Thread.sleep(3000);
            Expect.that(app.ready() && app.alive(), "ready and alive afterwards");
            app.get(Outbox.class).send("y").get(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.equal("y", app.get(Inbox.class).next(), "payload");
        }
    }

    private void crash() throws Exception {
        broker.needsCrash();
        goesOn("crash", broker::crash);
    }

    private void restart() throws Exception {
        broker.needsRestart();
        goesOn("restart", broker::restart);
    }

    private void goesOn(String name, Tap.Body fault) throws Exception {
        String address = broker.address("smallrye." + name);
        App.Channels channels =
                new App.Channels(broker).outgoing(address, "durable", "true").incoming(address);
        try (App app = App.start(channels, Outbox.class, Inbox.class)) {
            Outbox outbox = app.get(Outbox.class);
            Inbox inbox = app.get(Inbox.class);
            Set<String> missing = new HashSet<>();
            for (int i = 0; i < 50; i++) {
                outbox.send("before " + i).get(LIMIT_SECONDS, TimeUnit.SECONDS);
                missing.add("before " + i);
            }
            fault.run();
            for (int i = 0; i < 50; i++) {
                outbox.send("after " + i).get(LIMIT_SECONDS, TimeUnit.SECONDS);
                missing.add("after " + i);
            }
            // What was acknowledged just before the fault may come again.
            while (!missing.isEmpty()) {
                missing.remove(inbox.next());
            }
            Expect.within(SOON, "it is ready again", app::ready);
        }
    }
}
