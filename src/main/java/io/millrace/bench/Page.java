package io.millrace.bench;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One report, or several beside each other, as a page that needs nothing else. */
final class Page {
    private static final String TEMPLATE = "/io/millrace/bench/page.html";
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    private Page() {}

    static String of(List<JsonObject> reports) throws IOException {
        // A label may hold anything, but must not end the script.
        String data = new JsonArray(reports).encode().replace("<", "\\u003c");
        return resource(TEMPLATE)
                .replace("@TITLE@", "millrace bench")
                .replace("@UPLOT_CSS@", resource(UPLOT + "uPlot.min.css"))
                .replace("@UPLOT_JS@", resource(UPLOT + "uPlot.iife.min.js"))
                .replace("@DATA@", data);
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Page.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("the program is incomplete: " + name + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
