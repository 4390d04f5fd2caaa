package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Expect;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.camel.ExchangePattern;

/** Request and reply (InOut). */
final class Requests {
    private Requests() {}

    static void add(Camel tests) {
        tests.test("requests are answered at a temporary queue", t -> requests(t));
        tests.test("requests are answered at a shared reply queue, by selector", t -> requests(t, "replyToType=Shared"));
        tests.test("requests are answered at an exclusive reply queue", t -> requests(t, "replyToType=Exclusive"));
        tests.test("twenty requests at once are answered each with its own reply", Requests::parallel);
        tests.test("a request without an answer ends after its time", Requests::timeout);
    }

    private static void serve(Trial trial) throws Exception {
        trial.route(builder -> builder.from(trial.queue("requests")).transform(builder.body().prepend("reply to ")));
    }

    private static void requests(Trial trial, String... replyType) throws Exception {
        serve(trial);
        List<String> options = new ArrayList<>(List.of("requestTimeout=20s", "receiveTimeout=250"));
        if (replyType.length > 0) {
            options.add("replyTo=" + trial.address() + ".replies");
            options.addAll(List.of(replyType));
        }
        String endpoint = trial.queue("requests", options.toArray(String[]::new));
        for (int i = 0; i < 20; i++) {
            Expect.equal("reply to " + i, trial.request(endpoint, "" + i), "reply");
        }
    }

    private static void parallel(Trial trial) throws Exception {
        trial.route(builder -> builder.from(trial.queue("requests", "concurrentConsumers=4"))
                .transform(builder.body().prepend("reply to ")));
        String endpoint = trial.queue("requests", "requestTimeout=20s");
        List<Future<Object>> replies = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            replies.add(trial.producer().asyncRequestBody(endpoint, "" + i));
        }
        for (int i = 0; i < 20; i++) {
            Object reply = replies.get(i).get(Trial.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            Expect.equal("reply to " + i, reply, "reply");
        }
    }

    private static void timeout(Trial trial) {
        String endpoint = trial.queue("nobody", "requestTimeout=500");
        Throwable failure = Expect.failure(
                org.apache.camel.CamelExecutionException.class,
                "a request to nobody",
                () -> trial.producer().sendBody(endpoint, ExchangePattern.InOut, "one"));
        Expect.that(
                failure.getCause() instanceof org.apache.camel.ExchangeTimedOutException,
                "the end of its time, not " + failure.getCause());
    }
}
