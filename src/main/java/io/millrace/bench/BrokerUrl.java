package io.millrace.bench;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;

/** Where the broker is and who comes, as it was given; {@link #mistake} is to be asked before anything else. */
final class BrokerUrl {
    private static final String FORM = "amqp://[USER:PASSWORD@]HOST[:PORT]";
    private static final int AMQP_PORT = 5672;

    private final String given;
    private final Optional<URI> url;

    /** From the command line. Never fails, so that all mistakes can be told together. */
    static final class Converter implements ITypeConverter<BrokerUrl> {
        @Override
        public BrokerUrl convert(String given) {
            return new BrokerUrl(given);
        }
    }

    BrokerUrl(String given) {
        this.given = given;
        url = read(given);
    }

    private static Optional<URI> read(String given) {
        try {
            return Optional.of(new URI(given));
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /** What is wrong with it, if anything is. */
    Optional<String> mistake() {
        if (given.startsWith("amqps:")) {
            return Optional.of(shown() + ": there is no TLS in bench; use amqp://");
        }
        if (url.filter(BrokerUrl::isOfTheForm).isPresent()) {
            return Optional.empty();
        }
        return Optional.of(shown() + " is not a URL of the form " + FORM
                + (given.contains("@") ? "; special characters of user and password are percent-encoded" : ""));
    }

    private static boolean isOfTheForm(URI url) {
        String path = url.getRawPath();
        return "amqp".equals(url.getScheme())
                && url.getHost() != null
                && (path == null || path.isEmpty() || path.equals("/"))
                && url.getQuery() == null
                && url.getFragment() == null;
    }

    /** As it was given, for the error stream, which others may read: without the password. */
    private String shown() {
        return '"' + given.replaceFirst("(?<=//)([^/:@]*):.*@", "$1:***@") + '"';
    }

    private URI url() {
        return url.orElseThrow(() -> new IllegalStateException(shown()));
    }

    String host() {
        return url().getHost();
    }

    int port() {
        return url().getPort() < 0 ? AMQP_PORT : url().getPort();
    }

    Optional<String> user() {
        return Optional.ofNullable(url().getRawUserInfo()).map(info -> decoded(info.replaceFirst(":.*", "")));
    }

    String password() {
        String info = url().getRawUserInfo();
        return info == null || !info.contains(":") ? "" : decoded(info.substring(info.indexOf(':') + 1));
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
