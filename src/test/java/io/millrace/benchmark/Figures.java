package io.millrace.benchmark;

import io.vertx.core.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What was measured in one sitting.
 *
 * @param calibrationNanos what the fixed piece of work took
 * @param stages by name
 */
record Figures(double calibrationNanos, Map<String, Stage> stages) {
    /** What a stage takes for one message, and allocates. */
    record Stage(double nanos, double bytes) {}

    static Figures parse(String json) {
        JsonObject all = new JsonObject(json);
        Map<String, Stage> stages = new LinkedHashMap<>();
        JsonObject each = all.getJsonObject("stages");
        for (String name : each.fieldNames()) {
            JsonObject stage = each.getJsonObject(name);
            stages.put(name, new Stage(stage.getDouble("nanos"), stage.getDouble("bytes")));
        }
        return new Figures(all.getDouble("calibrationNanos"), stages);
    }

    String json() {
        JsonObject each = new JsonObject();
        stages.forEach((name, stage) -> each.put(
                name, new JsonObject().put("nanos", rounded(stage.nanos)).put("bytes", rounded(stage.bytes))));
        return new JsonObject()
                        .put("calibrationNanos", rounded(calibrationNanos))
                        .put("stages", each)
                        .encodePrettily()
                + "\n";
    }

    private static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }
}
