package io.millrace.http;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.vertx.core.metrics.MetricsOptions;
import io.vertx.core.spi.VertxMetricsFactory;
import io.vertx.micrometer.MetricsDomain;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import io.vertx.micrometer.backends.BackendRegistries;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;

/**
 * The registry that Vert.x reports its sockets to, and the text that Prometheus reads. Any thread.
 *
 * <p>Meters of the broker are not kept in the registry: ten thousand queues would be a hundred thousand objects there. They
 * are written straight from the figures of the moment.
 */
public final class Metrics implements AutoCloseable {
    /** The type of the text. */
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    /** Vert.x keeps its registries by name, for the whole JVM; two brokers in one must not share. */
    private final String registryName = "millrace-" + UUID.randomUUID();

    /** What is being written; set and read inside {@link #text}. */
    private List<Meter> current = List.of();

    /** A registry of its own. */
    public Metrics() {
        MultiCollector collector = this::snapshots;
        registry.getPrometheusRegistry().register(collector);
    }

    /** For the builder of Vert.x. */
    public VertxMetricsFactory factory() {
        return new MicrometerMetricsFactory(registry);
    }

    /** For the options of Vert.x. */
    public MetricsOptions options() {
        MicrometerMetricsOptions options =
                new MicrometerMetricsOptions().setEnabled(true).setRegistryName(registryName);
        EnumSet.complementOf(EnumSet.of(MetricsDomain.NET_SERVER, MetricsDomain.NAMED_POOLS))
                .forEach(options::addDisabledMetricsCategory);
        return options;
    }

    /** All there is, as text. Not for an event loop: with many queues this takes a while. */
    synchronized byte[] text(List<Meter> meters) {
        current = meters;
        try {
            return registry.scrape(CONTENT_TYPE).getBytes(StandardCharsets.UTF_8);
        } finally {
            current = List.of();
        }
    }

    private MetricSnapshots snapshots() {
        List<MetricSnapshot> snapshots = new ArrayList<>();
        for (Meter meter : current) {
            snapshots.add(meter.kind() == Meter.Kind.GAUGE ? gauge(meter) : counter(meter));
        }
        return new MetricSnapshots(snapshots);
    }

    private static MetricSnapshot gauge(Meter meter) {
        GaugeSnapshot.Builder builder =
                GaugeSnapshot.builder().name(meter.name()).help(meter.help());
        meter.samples()
                .forEach(sample -> builder.dataPoint(GaugeSnapshot.GaugeDataPointSnapshot.builder()
                        .labels(labels(sample))
                        .value(sample.value())
                        .build()));
        return builder.build();
    }

    private static MetricSnapshot counter(Meter meter) {
        CounterSnapshot.Builder builder =
                CounterSnapshot.builder().name(meter.name()).help(meter.help());
        meter.samples()
                .forEach(sample -> builder.dataPoint(CounterSnapshot.CounterDataPointSnapshot.builder()
                        .labels(labels(sample))
                        .value(sample.value())
                        .build()));
        return builder.build();
    }

    private static Labels labels(Meter.Sample sample) {
        Labels.Builder labels = Labels.builder();
        sample.labels().forEach(labels::label);
        return labels.build();
    }

    @Override
    public void close() {
        BackendRegistries.stop(registryName);
        registry.close();
    }
}
