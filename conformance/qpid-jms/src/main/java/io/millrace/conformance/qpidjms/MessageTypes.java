package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.BytesMessage;
import jakarta.jms.JMSException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Each kind of JMS message, with properties of each type. */
final class MessageTypes {
    private MessageTypes() {}

    static void add(Tests tests) {
        tests.test("text comes back: plain, empty, none, and beyond ASCII", MessageTypes::text);
        tests.test("a BytesMessage keeps every primitive type", MessageTypes::bytes);
        tests.test("a MapMessage keeps every type", MessageTypes::map);
        tests.test("a StreamMessage keeps every type and its order", MessageTypes::stream);
        tests.test("an ObjectMessage comes back, serialized and as an AMQP type", MessageTypes::object);
        tests.test("a message without body has its properties", MessageTypes::empty);
        tests.test("properties of every type keep type and value", MessageTypes::properties);
        tests.test("a binary correlation id comes back", MessageTypes::binaryCorrelationId);
        tests.test("a message that was received can be sent on, with another body and more properties", MessageTypes::forwarded);
    }

    private static Message through(Trial trial, Session session, Message message) throws JMSException {
        Queue queue = session.createQueue(trial.address());
        session.createProducer(queue).send(message);
        try (MessageConsumer consumer = session.createConsumer(queue)) {
            return Messages.next(consumer);
        }
    }

    private static void text(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        String[] texts = {"plain", "", null, "Grüße 水 🚀 \u0000\n", "x".repeat(100_000)};
        for (String text : texts) {
            session.createProducer(queue).send(session.createTextMessage(text));
        }
        for (Message got : Messages.next(session.createConsumer(queue), texts.length)) {
            Expect.that(Arrays.asList(texts).contains(Messages.text(got)), "one of the texts, not " + got);
        }
    }

    private static void bytes(Trial trial) throws Exception {
        Session session = trial.session();
        BytesMessage sent = session.createBytesMessage();
        sent.writeBoolean(true);
        sent.writeByte(Byte.MIN_VALUE);
        sent.writeShort(Short.MIN_VALUE);
        sent.writeChar('水');
        sent.writeInt(Integer.MIN_VALUE);
        sent.writeLong(Long.MIN_VALUE);
        sent.writeFloat(Float.MIN_VALUE);
        sent.writeDouble(Double.NaN);
        sent.writeUTF("Grüße");
        BytesMessage got = (BytesMessage) through(trial, session, sent);
        Expect.equal(true, got.readBoolean(), "boolean");
        Expect.equal(Byte.MIN_VALUE, got.readByte(), "byte");
        Expect.equal(Short.MIN_VALUE, got.readShort(), "short");
        Expect.equal('水', got.readChar(), "char");
        Expect.equal(Integer.MIN_VALUE, got.readInt(), "int");
        Expect.equal(Long.MIN_VALUE, got.readLong(), "long");
        Expect.equal(Float.MIN_VALUE, got.readFloat(), "float");
        Expect.equal(Double.NaN, got.readDouble(), "double");
        Expect.equal("Grüße", got.readUTF(), "UTF");
    }

    private static void map(Trial trial) throws Exception {
        Session session = trial.session();
        MapMessage sent = session.createMapMessage();
        sent.setBoolean("boolean", true);
        sent.setByte("byte", Byte.MAX_VALUE);
        sent.setShort("short", Short.MAX_VALUE);
        sent.setChar("char", '水');
        sent.setInt("int", Integer.MAX_VALUE);
        sent.setLong("long", Long.MAX_VALUE);
        sent.setFloat("float", Float.MAX_VALUE);
        sent.setDouble("double", Double.NEGATIVE_INFINITY);
        sent.setString("string", "Grüße");
        sent.setString("nothing", null);
        sent.setBytes("bytes", new byte[] {0, -1, 127});
        MapMessage got = (MapMessage) through(trial, session, sent);
        Expect.equal(true, got.getObject("boolean"), "boolean");
        Expect.equal(Byte.MAX_VALUE, got.getObject("byte"), "byte");
        Expect.equal(Short.MAX_VALUE, got.getObject("short"), "short");
        Expect.equal('水', got.getObject("char"), "char");
        Expect.equal(Integer.MAX_VALUE, got.getObject("int"), "int");
        Expect.equal(Long.MAX_VALUE, got.getObject("long"), "long");
        Expect.equal(Float.MAX_VALUE, got.getObject("float"), "float");
        Expect.equal(Double.NEGATIVE_INFINITY, got.getObject("double"), "double");
        Expect.equal("Grüße", got.getObject("string"), "string");
        Expect.that(got.itemExists("nothing") && got.getObject("nothing") == null, "a null under its name");
        Expect.that(Arrays.equals(new byte[] {0, -1, 127}, got.getBytes("bytes")), "the bytes");
        Expect.equal(11, Collections.list(got.getMapNames()).size(), "names");
    }

    private static void stream(Trial trial) throws Exception {
        Session session = trial.session();
        List<Object> values = List.of(
                true, Byte.MIN_VALUE, Short.MIN_VALUE, '水', Integer.MIN_VALUE, Long.MIN_VALUE, 1.5f, -0.0, "Grüße");
        StreamMessage sent = session.createStreamMessage();
        for (Object value : values) {
            sent.writeObject(value);
        }
        sent.writeObject(null);
        sent.writeBytes(new byte[] {1, 2, 3});
        StreamMessage got = (StreamMessage) through(trial, session, sent);
        for (Object value : values) {
            Expect.equal(value, got.readObject(), value.getClass().getSimpleName());
        }
        Expect.equal(null, got.readObject(), "null");
        Expect.that(Arrays.equals(new byte[] {1, 2, 3}, (byte[]) got.readObject()), "the bytes");
    }

    private static void object(Trial trial) throws Exception {
        for (boolean typed : new boolean[] {false, true}) {
            Session session = trial.session("jms.deserializationPolicy.allowList=java.util,java.lang");
            ObjectMessage sent = session.createObjectMessage();
            sent.setBooleanProperty("JMS_AMQP_TYPED_ENCODING", typed);
            sent.setObject(new java.util.HashMap<>(java.util.Map.of("one", 1L, "two", "2")));
            ObjectMessage got = (ObjectMessage) through(trial, session, sent);
            Expect.equal(java.util.Map.of("one", 1L, "two", "2"), got.getObject(), "object");
        }
    }

    private static void empty(Trial trial) throws Exception {
        Session session = trial.session();
        Message sent = session.createMessage();
        sent.setStringProperty("color", "red");
        Message got = through(trial, session, sent);
        Expect.equal("red", got.getStringProperty("color"), "color");
    }

    private static void properties(Trial trial) throws Exception {
        Session session = trial.session();
        Message sent = session.createTextMessage("one");
        List<Object> values = List.of(
                false, Byte.MIN_VALUE, Short.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE, Float.MIN_VALUE, Math.PI, "Grüße");
        Set<String> names = new TreeSet<>();
        for (Object value : values) {
            String name = "a_" + value.getClass().getSimpleName();
            names.add(name);
            sent.setObjectProperty(name, value);
        }
        Message got = through(trial, session, sent);
        for (Object value : values) {
            Expect.equal(value, got.getObjectProperty("a_" + value.getClass().getSimpleName()), "property");
        }
        Set<String> found = new TreeSet<>();
        for (Object name : Collections.list(got.getPropertyNames())) {
            if (((String) name).startsWith("a_")) {
                found.add((String) name);
            }
        }
        Expect.equal(names, found, "names");
    }

    private static void binaryCorrelationId(Trial trial) throws Exception {
        Session session = trial.session();
        Message sent = session.createTextMessage("one");
        sent.setJMSCorrelationIDAsBytes(new byte[] {0, 1, -1});
        Message got = through(trial, session, sent);
        Expect.that(Arrays.equals(new byte[] {0, 1, -1}, got.getJMSCorrelationIDAsBytes()), "the bytes of the id");
    }

    private static void forwarded(Trial trial) throws Exception {
        Session session = trial.session();
        Message sent = session.createTextMessage("one");
        sent.setIntProperty("step", 1);
        Message got = through(trial, session, sent);
        got.clearBody();
        got.clearProperties();
        ((jakarta.jms.TextMessage) got).setText("two");
        got.setIntProperty("step", 2);
        Queue next = session.createQueue(trial.address("next"));
        session.createProducer(next).send(got);
        Message again = Messages.next(session.createConsumer(next));
        Expect.equal("two", Messages.text(again), "text");
        Expect.equal(2, again.getIntProperty("step"), "step");
        Expect.equal(next, again.getJMSDestination(), "destination");
    }
}
