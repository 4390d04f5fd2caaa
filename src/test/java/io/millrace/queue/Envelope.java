package io.millrace.queue;

import io.millrace.message.Message;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.qpid.proton.Proton;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Header;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.apache.qpid.proton.amqp.messaging.Properties;

/** Makes messages for tests that say more of themselves than {@link Messages} do; their names are found in the same way. */
final class Envelope {
    private final Header header = new Header();
    private final Properties properties = new Properties();
    private final Map<Symbol, Object> annotations = new LinkedHashMap<>();
    private final Map<String, Object> applicationProperties = new HashMap<>();
    private final String name;
    private int bodyBytes;

    private Envelope(String name, boolean durable) {
        this.name = name;
        header.setDurable(durable);
    }

    static Envelope durable(String name) {
        return new Envelope(name, true);
    }

    static Envelope transientOne(String name) {
        return new Envelope(name, false);
    }

    Envelope ttl(long millis) {
        header.setTtl(UnsignedInteger.valueOf(millis));
        return this;
    }

    Envelope priority(int priority) {
        header.setPriority(UnsignedByte.valueOf((byte) priority));
        return this;
    }

    Envelope expiresAt(long millis) {
        properties.setAbsoluteExpiryTime(new Date(millis));
        return this;
    }

    Envelope id(Object id) {
        properties.setMessageId(id);
        return this;
    }

    Envelope at(long millis) {
        return annotation("x-opt-delivery-time", millis);
    }

    Envelope delay(long millis) {
        return annotation("x-opt-delivery-delay", millis);
    }

    Envelope annotation(String key, Object value) {
        annotations.put(Symbol.valueOf(key), value);
        return this;
    }

    Envelope property(String key, Object value) {
        applicationProperties.put(key, value);
        return this;
    }

    Envelope bytes(int body) {
        bodyBytes = body;
        return this;
    }

    Message build() {
        org.apache.qpid.proton.message.Message message = Proton.message();
        message.setHeader(header);
        message.setProperties(properties);
        if (!annotations.isEmpty()) {
            message.setMessageAnnotations(new MessageAnnotations(annotations));
        }
        if (!applicationProperties.isEmpty()) {
            message.setApplicationProperties(new ApplicationProperties(applicationProperties));
        }
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer body = ByteBuffer.allocate(Math.max(bodyBytes, text.length + 8));
        body.put(text).position(body.capacity() - 8);
        body.putInt(text.length).putInt(body.capacity());
        message.setBody(new Data(new Binary(body.array())));
        byte[] encoded = new byte[bodyBytes + 4096];
        return Messages.parse(Arrays.copyOf(encoded, message.encode(encoded, 0, encoded.length)));
    }
}
