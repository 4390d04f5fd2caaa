package io.millrace.bench;

import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import picocli.CommandLine.Option;

/** A result as JSON and as words. Times are microseconds in JSON. */
final class Report {
    /** Changes when a reader of the JSON must. */
    static final int FORMAT = 1;

    private static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};
    private static final String[] PERCENTILE_NAMES = {"p50", "p90", "p99", "p99.9", "p99.99"};
    private static final int CURVE_STEPS = 5;

    /** Where Jackson stumbled. */
    private static final Pattern PLACE = Pattern.compile("line: (\\d+), column: (\\d+)");

    private final Result result;
    private final String version;

    Report(Result result, String version) {
        this.result = result;
        this.version = version;
    }

    /** A text is no report; the message says so, to follow its name. */
    static final class Unreadable extends Exception {
        Unreadable(String message) {
            super(message);
        }
    }

    /** The JSON of a report of any run of this version. */
    static JsonObject read(String text) throws Unreadable {
        try {
            JsonObject json = new JsonObject(text);
            if (!(json.getValue("format") instanceof Integer format)) {
                throw new Unreadable("is not a report of --json");
            }
            if (format != FORMAT) {
                throw new Unreadable("is a report of another version");
            }
            return json;
        } catch (DecodeException e) {
            Matcher place = PLACE.matcher(String.valueOf(e.getMessage()));
            throw new Unreadable("is not a report of --json"
                    + (place.find() ? " (line " + place.group(1) + ", column " + place.group(2) + ")" : ""));
        }
    }

    /** Why the run of a report is not one to measure others by, if so. */
    static Optional<String> flaw(JsonObject report) {
        String failure = report.getString("failure");
        return Optional.ofNullable(failure)
                .or(() -> report.getBoolean("good", true)
                        ? Optional.empty()
                        : Optional.of("accepted messages were lost or came twice"));
    }

    JsonObject json() {
        JsonObject json = new JsonObject()
                .put("format", FORMAT)
                .put("generator", "Millrace " + version)
                .put("label", result.settings().label())
                .put("broker", result.settings().broker())
                .put("started", result.started().toString())
                .put("settings", settings())
                .put("machine", machine())
                .put("stopped", result.stopped())
                .put("good", result.good())
                .put("totals", totals())
                .put("rates", rates())
                .put("latencyMicros", latencies())
                .put("costs", costs())
                .put("series", series());
        result.failure().ifPresent(why -> json.put("failure", why));
        return json;
    }

    /** All options by their names, with what they were. */
    private JsonObject settings() {
        Settings settings = result.settings();
        JsonObject json = new JsonObject();
        for (Field field : Settings.class.getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null) {
                json.put(option.names()[0].substring(2), value(settings, field));
            }
        }
        return json.put("address", settings.address())
                .put("durable", settings.durable())
                .put("producers", settings.producers())
                .put("consumers", settings.consumers())
                .put("label", settings.label());
    }

    private static Object value(Settings settings, Field field) {
        try {
            field.setAccessible(true);
            Object value = field.get(settings);
            if (value instanceof Duration time) {
                return time.toMillis() + "ms";
            }
            if (value instanceof Extent extent) {
                return extent.time().map(time -> time.toMillis() + "ms").orElse(Long.toString(extent.messages()));
            }
            return value == null || value instanceof Number || value instanceof Boolean ? value : value.toString();
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonObject machine() {
        return new JsonObject()
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put(
                        "os",
                        System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                                + System.getProperty("os.arch"))
                .put("jvm", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
    }

    private JsonObject totals() {
        Tally tally = result.tally();
        JsonObject refusals = new JsonObject();
        tally.refusals.forEach(refusals::put);
        JsonObject json = new JsonObject()
                .put("sent", tally.sent)
                .put("answered", tally.answered)
                .put("accepted", tally.accepted)
                .put("refusals", refusals)
                .put("received", tally.received)
                .put("ofOtherRuns", tally.foreign)
                .put("transactions", tally.transactions)
                .put("consumeTransactions", tally.consumeTransactions)
                .put("measuredAnswered", tally.measuredAnswered)
                .put("measuredAccepted", tally.measuredAccepted)
                .put("measuredReceived", tally.measuredReceived);
        if (result.settings().tracked()) {
            json.put("lost", result.lost()).put("duplicates", tally.duplicates).put("outOfOrder", tally.outOfOrder);
        }
        return json;
    }

    private JsonObject rates() {
        int size = result.settings().size;
        return new JsonObject()
                .put("sendSeconds", result.sendSeconds())
                .put("sentPerSecond", rounded(result.sendRate()))
                .put("sentBytesPerSecond", rounded(result.sendRate() * size))
                .put("receiveSeconds", result.receiveSeconds())
                .put("receivedPerSecond", rounded(result.receiveRate()))
                .put("receivedBytesPerSecond", rounded(result.receiveRate() * size));
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 100.0;
    }

    private JsonObject latencies() {
        Tally.Latencies all = result.latencies();
        JsonObject json = new JsonObject();
        put(json, "acknowledged", all.acknowledged);
        put(json, "endToEnd", all.endToEnd);
        put(json, "transaction", all.transaction);
        put(json, "consumeTransaction", all.consumeTransaction);
        put(json, "sentLate", all.late);
        return json;
    }

    private static void put(JsonObject json, String name, Histogram histogram) {
        if (histogram.getTotalCount() > 0) {
            JsonArray curve = new JsonArray();
            for (HistogramIterationValue step : histogram.percentiles(CURVE_STEPS)) {
                curve.add(new JsonArray()
                        .add(step.getPercentileLevelIteratedTo())
                        .add(micros(step.getValueIteratedTo())));
            }
            json.put(name, summary(histogram).put("curve", curve));
        }
    }

    private static JsonObject summary(Histogram histogram) {
        JsonObject json = new JsonObject()
                .put("count", histogram.getTotalCount())
                .put("mean", micros(Math.round(histogram.getMean())));
        for (int i = 0; i < PERCENTILES.length; i++) {
            json.put(PERCENTILE_NAMES[i], micros(histogram.getValueAtPercentile(PERCENTILES[i])));
        }
        return json.put("max", micros(histogram.getMaxValue()));
    }

    private static double micros(long nanos) {
        return Math.round(nanos / 100.0) / 10.0;
    }

    private JsonObject costs() {
        Result.Costs costs = result.costs();
        double sides = Math.max(1, costs.sides());
        JsonObject json = new JsonObject()
                .put("messagesOfASide", costs.sides())
                .put("generatorCpuMicrosPerMessageOfASide", rounded(costs.ownMicros() / sides));
        costs.broker().ifPresent(broker -> {
            double messages = Math.max(1, costs.messages());
            json.put("brokerPid", result.settings().brokerPid)
                    .put("brokerCpuMicrosPerMessage", rounded(broker.cpuMicros() / messages))
                    .put("brokerResidentBytes", broker.residentBytes())
                    .put("brokerWrittenBytesPerMessage", Math.round(broker.writtenBytes() / messages));
        });
        return json;
    }

    private JsonArray series() {
        JsonArray series = new JsonArray();
        for (Sample sample : result.samples()) {
            JsonObject json = new JsonObject()
                    .put("second", rounded(sample.atSeconds()))
                    .put("warmup", sample.warmup())
                    .put("sentPerSecond", rounded(sample.answered() / sample.seconds()))
                    .put("receivedPerSecond", rounded(sample.received() / sample.seconds()));
            putShort(json, "acknowledged", sample.latencies().acknowledged);
            putShort(json, "endToEnd", sample.latencies().endToEnd);
            putShort(json, "transaction", sample.latencies().transaction);
            sample.broker().ifPresent(broker -> json.put(
                            "brokerCores", rounded(sample.brokerCpuMicros() / 1e6 / sample.seconds()))
                    .put("brokerResidentBytes", broker.residentBytes()));
            series.add(json);
        }
        return series;
    }

    private static void putShort(JsonObject json, String name, Histogram histogram) {
        if (histogram.getTotalCount() > 0) {
            json.put(
                    name,
                    new JsonObject()
                            .put("p50", micros(histogram.getValueAtPercentile(50)))
                            .put("p99", micros(histogram.getValueAtPercentile(99)))
                            .put("max", micros(histogram.getMaxValue())));
        }
    }

    // ---- words

    String words() {
        StringBuilder out = new StringBuilder();
        Tally tally = result.tally();
        line(
                out,
                "%s, %s%s",
                result.settings().label(),
                result.settings().broker(),
                result.stopped() ? ", stopped early" : "");
        if (tally.measuredAnswered > 0) {
            line(
                    out,
                    "  sent          %,d in %.2f s: %,.0f/s",
                    tally.measuredAnswered,
                    result.sendSeconds(),
                    result.sendRate());
        }
        if (tally.measuredReceived > 0) {
            line(
                    out,
                    "  received      %,d in %.2f s: %,.0f/s",
                    tally.measuredReceived,
                    result.receiveSeconds(),
                    result.receiveRate());
        }
        latency(out, "acknowledged", result.latencies().acknowledged);
        latency(out, "end to end", result.latencies().endToEnd);
        latency(out, "transaction", result.latencies().transaction);
        latency(out, "acceptance", result.latencies().consumeTransaction);
        latency(out, "sent late by", result.latencies().late);
        tally.refusals.forEach((why, count) -> line(out, "  refused       %,d: %s", count, why));
        if (tally.foreign > 0) {
            line(out, "  of other runs %,d received", tally.foreign);
        }
        if (result.settings().tracked() && tally.sent > 0) {
            line(out, "  lost %,d, twice %,d, out of order %,d", result.lost(), tally.duplicates, tally.outOfOrder);
        }
        costWords(out);
        result.failure().ifPresent(why -> line(out, "  FAILED: %s", why));
        return out.toString();
    }

    private void costWords(StringBuilder out) {
        Result.Costs costs = result.costs();
        if (costs.sides() > 0) {
            line(
                    out,
                    "  CPU           generator %.2f us a message and side",
                    costs.ownMicros() / (double) costs.sides());
        }
        costs.broker().ifPresent(broker -> {
            double messages = Math.max(1, costs.messages());
            line(
                    out,
                    "  broker        CPU %.2f us a message, %,d MB resident, %,.0f bytes written a message",
                    broker.cpuMicros() / messages,
                    broker.residentBytes() >> 20,
                    broker.writtenBytes() / messages);
        });
    }

    private static void latency(StringBuilder out, String name, Histogram histogram) {
        if (histogram.getTotalCount() > 0) {
            line(
                    out,
                    "  %-13s mean %s, p50 %s, p90 %s, p99 %s, p99.9 %s, p99.99 %s, max %s",
                    name,
                    Progress.millis(Math.round(histogram.getMean())),
                    Progress.millis(histogram.getValueAtPercentile(50)),
                    Progress.millis(histogram.getValueAtPercentile(90)),
                    Progress.millis(histogram.getValueAtPercentile(99)),
                    Progress.millis(histogram.getValueAtPercentile(99.9)),
                    Progress.millis(histogram.getValueAtPercentile(99.99)),
                    Progress.millis(histogram.getMaxValue()));
        }
    }

    private static void line(StringBuilder out, String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
