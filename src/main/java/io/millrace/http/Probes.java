package io.millrace.http;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** What the HTTP listener asks of the broker. On any thread; no answer waits. */
public interface Probes {

    /** Why the broker should be killed and started again; empty while it lives. */
    Optional<String> notLive();

    /** Why clients should go elsewhere for now; empty when the broker takes and gives messages. */
    Optional<String> notReady();

    /** The figures as they are now. */
    CompletionStage<List<Meter>> meters();
}
