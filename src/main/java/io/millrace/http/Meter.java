package io.millrace.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A figure with a name, for each combination of labels that it has. Owned by whoever builds it, then read only.
 *
 * @param name without the {@code _total} that counters get
 * @param help one sentence
 * @param kind whether it only grows
 * @param samples its values
 */
public record Meter(String name, String help, Kind kind, List<Sample> samples) {

    /** How a figure behaves. */
    public enum Kind {
        /** Goes up and down. */
        GAUGE,
        /** Only grows, from zero at the start of the broker. */
        COUNTER
    }

    /** A value and its labels. */
    public record Sample(Map<String, String> labels, double value) {}

    /** A gauge without values yet. */
    public static Meter gauge(String name, String help) {
        return new Meter(name, help, Kind.GAUGE, new ArrayList<>());
    }

    /** A counter without values yet. */
    public static Meter counter(String name, String help) {
        return new Meter(name, help, Kind.COUNTER, new ArrayList<>());
    }

    /** Adds the value for one label. */
    public Meter add(String label, String labelValue, double value) {
        samples.add(new Sample(Map.of(label, labelValue), value));
        return this;
    }

    /** Adds the only value. */
    public Meter add(double value) {
        samples.add(new Sample(Map.of(), value));
        return this;
    }

    /** Adds the value for one label. */
    public Meter add(String label, String labelValue, long value) {
        return add(label, labelValue, (double) value);
    }

    /** Adds the only value. */
    public Meter add(long value) {
        return add((double) value);
    }
}
