package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.reactive.messaging.providers.extension.HealthCenter;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.spi.ConfigProviderResolver;
import org.jboss.weld.environment.se.Weld;
import org.jboss.weld.environment.se.WeldContainer;

/** An application: a CDI container with some beans and the configuration of their channels. */
final class App implements AutoCloseable {
    private final Config config;
    private final WeldContainer container;

    private App(Config config, WeldContainer container) {
        this.config = config;
        this.container = container;
    }

    /** What is said of the channels of an application, before it starts. */
    static final class Channels {
        private final Map<String, String> properties = new HashMap<>();

        Channels(Broker broker) {
            properties.put("amqp-host", broker.host());
            properties.put("amqp-port", Integer.toString(broker.port()));
        }

        /** Of the listener that wants users. */
        Channels as(Broker broker, String password) {
            properties.put("amqp-host", broker.userHost());
            properties.put("amqp-port", Integer.toString(broker.userPort()));
            properties.put("amqp-username", broker.user());
            properties.put("amqp-password", password);
            return this;
        }

        Channels outgoing(String address, String... settings) {
            return channel("mp.messaging.outgoing.out.", address, settings);
        }

        Channels incoming(String address, String... settings) {
            return channel("mp.messaging.incoming.in.", address, settings);
        }

        /** Settings are names and values in turn. */
        private Channels channel(String prefix, String address, String... settings) {
            properties.put(prefix + "connector", "smallrye-amqp");
            properties.put(prefix + "address", address);
            properties.put(prefix + "tracing-enabled", "false");
            properties.put(prefix + "reconnect-interval", "1");
            for (int i = 0; i < settings.length; i += 2) {
                properties.put(prefix + settings[i], settings[i + 1]);
            }
            return this;
        }
    }

    static App start(Channels channels, Class<?>... beans) {
        Config config = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withSources(new PropertiesConfigSource(channels.properties, "test", 500))
                .build();
        ConfigProviderResolver.instance().registerConfig(config, Thread.currentThread().getContextClassLoader());
        try {
            WeldContainer container =
                    new Weld(UUID.randomUUID().toString()).addBeanClasses(beans).initialize();
            return new App(config, container);
        } catch (RuntimeException e) {
            ConfigProviderResolver.instance().releaseConfig(config);
            throw e;
        }
    }

    <T> T get(Class<T> bean) {
        return container.select(bean).get();
    }

    boolean ready() {
        return get(HealthCenter.class).getReadiness().isOk();
    }

    boolean alive() {
        return get(HealthCenter.class).getLiveness().isOk();
    }

    @Override
    public void close() {
        try {
            container.close();
        } finally {
            ConfigProviderResolver.instance().releaseConfig(config);
        }
    }
}
