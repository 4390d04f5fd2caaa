package io.millrace.selector;

import io.millrace.message.JmsId;
import io.millrace.message.Message;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Who wrote a selector, and so what its names mean. */
enum Dialect {
    /** JMS: header fields by their JMS names, all other names are those of application properties. */
    JMS {
        @Override
        Optional<Expression> resolve(String name, boolean quoted) {
            Optional<Expression> field =
                    Optional.<Expression>ofNullable(HEADERS.get(name)).or(() -> amqpField(name));
            if (field.isPresent()) {
                return field;
            }
            if (name.startsWith("m.") && name.length() > 2) {
                return Optional.of(new Annotation(name.substring(2)));
            }
            return Optional.of(
                    quoted ? new PropertyOrAnnotation(new Property(name), new Annotation(name)) : new Property(name));
        }

        private Optional<Expression> amqpField(String name) {
            return name.startsWith("amqp.") ? Dialect.field(name.substring(5)) : Optional.empty();
        }
    },

    /** AMQP filter expressions: a name says in which section to look, or is that of an application property. */
    SQL {
        @Override
        Optional<Expression> resolve(String name, boolean quoted) {
            int dot = quoted ? -1 : name.indexOf('.');
            String field = name.substring(dot + 1);
            return switch (dot < 0 ? "" : name.substring(0, dot)) {
                case "header", "h" -> Optional.ofNullable(HEADER.get(field));
                case "properties", "p" -> Optional.ofNullable(PROPERTIES.get(field));
                case "application_properties", "a" -> Optional.of(new Property(field));
                case "message_annotations", "m" -> Optional.of(new Annotation(field));
                case "delivery_annotations", "d", "footer", "f" -> Optional.empty();
                default -> Optional.of(new Property(name));
            };
        }
    };

    /** The fields of JMS messages. What is a primitive there is never unknown. */
    private static final Map<String, Expression> HEADERS = Map.ofEntries(
            field(
                    "JMSDeliveryMode",
                    Expression.Kind.STRING,
                    message -> message.durable() ? "PERSISTENT" : "NON_PERSISTENT"),
            field("JMSPriority", Expression.Kind.NUMBER, message -> Math.min(message.priority(), 9)),
            field("JMSMessageID", Expression.Kind.STRING, message -> JmsId.ofMessageId(message.messageId())),
            field("JMSTimestamp", Expression.Kind.NUMBER, Message::creationTimeMillis),
            field("JMSExpiration", Expression.Kind.NUMBER, Message::absoluteExpiryMillis),
            field(
                    "JMSCorrelationID",
                    Expression.Kind.STRING,
                    message -> JmsId.ofCorrelationId(message.correlationId())),
            field("JMSType", Expression.Kind.STRING, Message::subject),
            field("JMSReplyTo", Expression.Kind.STRING, Message::replyTo),
            field("JMSDestination", Expression.Kind.STRING, Message::to),
            field("JMSXGroupID", Expression.Kind.STRING, Message::groupId),
            field("JMSXGroupSeq", Expression.Kind.NUMBER, Dialect::groupSequence),
            field("JMSXUserID", Expression.Kind.STRING, Dialect::userId),
            Map.entry("JMSXDeliveryCount", new Counted(Expression.Kind.NUMBER, count -> count + 1)),
            Map.entry("JMSRedelivered", new Counted(Expression.Kind.BOOLEAN, count -> count > 0)));

    private static final Map<String, Expression> HEADER = Map.ofEntries(
            field("durable", Expression.Kind.BOOLEAN, Message::durable),
            field("priority", Expression.Kind.NUMBER, Message::priority),
            field(
                    "ttl",
                    Expression.Kind.NUMBER,
                    message -> message.ttlMillis() < 0 ? "" : (Object) message.ttlMillis()),
            Map.entry("first_acquirer", new Counted(Expression.Kind.BOOLEAN, count -> count == 0)),
            Map.entry("delivery_count", new Counted(Expression.Kind.NUMBER, count -> count)));

    private static final Map<String, Expression> PROPERTIES = Map.ofEntries(
            field("message_id", Expression.Kind.UNDETERMINED, Message::messageId),
            field("user_id", Expression.Kind.STRING, Dialect::userId),
            field("to", Expression.Kind.STRING, Message::to),
            field("subject", Expression.Kind.STRING, Message::subject),
            field("reply_to", Expression.Kind.STRING, Message::replyTo),
            field("correlation_id", Expression.Kind.UNDETERMINED, Message::correlationId),
            field("content_type", Expression.Kind.STRING, message -> String.valueOf(message.property("content-type"))),
            field(
                    "content_encoding",
                    Expression.Kind.STRING,
                    message -> String.valueOf(message.property("content-encoding"))),
            field(
                    "absolute_expiry_time",
                    Expression.Kind.NUMBER,
                    message -> unlessZero(message.absoluteExpiryMillis())),
            field("creation_time", Expression.Kind.NUMBER, message -> unlessZero(message.creationTimeMillis())),
            field("group_id", Expression.Kind.STRING, Message::groupId),
            field("group_sequence", Expression.Kind.NUMBER, Dialect::unsignedGroupSequence),
            field("reply_to_group_id", Expression.Kind.STRING, message -> message.property("reply-to-group-id")));

    /**
     * What a name stands for.
     *
     * @return empty when there is nothing of this name that could be looked at
     */
    abstract Optional<Expression> resolve(String name, boolean quoted);

    private static Optional<Expression> field(String name) {
        return Optional.ofNullable(HEADER.getOrDefault(name, PROPERTIES.get(name)));
    }

    private static Map.Entry<String, Expression> field(
            String name, Expression.Kind kind, Function<Message, Object> read) {
        return Map.entry(name, new Field(kind, read));
    }

    private static Object unlessZero(long millis) {
        return millis == 0 ? "" : (Object) millis;
    }

    private static String userId(Message message) {
        return new String(message.userId(), StandardCharsets.UTF_8);
    }

    private static Object groupSequence(Message message) {
        int sequence = message.groupSequence();
        return sequence == 0 && message.groupId().isEmpty() ? "" : (Object) sequence;
    }

    private static Object unsignedGroupSequence(Message message) {
        return groupSequence(message) instanceof Integer sequence ? Integer.toUnsignedLong(sequence) : "";
    }

    /** A field of the message, empty when it is absent. */
    private record Field(Kind kind, Function<Message, Object> read) implements Expression {
        @Override
        public Object value(Candidate candidate) {
            return Numbers.valueOf(read.apply(candidate.message()));
        }
    }

    /** What follows from the number of failed deliveries. */
    private record Counted(Kind kind, Function<Integer, Object> read) implements Expression {
        @Override
        public Object value(Candidate candidate) {
            return read.apply(candidate.deliveryCount());
        }
    }

    private record Property(String name) implements Expression {
        @Override
        public Object value(Candidate candidate) {
            Object value = Numbers.valueOf(candidate.message().applicationProperty(name));
            return value == null && candidate.message().hasApplicationProperty(name) ? "" : value;
        }

        @Override
        public Kind kind() {
            return Kind.UNDETERMINED;
        }
    }

    private record Annotation(String name) implements Expression {
        @Override
        public Object value(Candidate candidate) {
            return Numbers.valueOf(candidate.message().annotation(name));
        }

        @Override
        public Kind kind() {
            return Kind.UNDETERMINED;
        }
    }

    private record PropertyOrAnnotation(Property property, Annotation annotation) implements Expression {
        @Override
        public Object value(Candidate candidate) {
            Object value = property.value(candidate);
            return value == null ? annotation.value(candidate) : value;
        }

        @Override
        public Kind kind() {
            return Kind.UNDETERMINED;
        }
    }
}
