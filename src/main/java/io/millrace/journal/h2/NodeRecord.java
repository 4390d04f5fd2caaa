package io.millrace.journal.h2;

import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeKind;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.StringDataType;

/**
 * A node as it lies in the store.
 *
 * @param deleted it is gone, and its messages are being removed step by step
 */
record NodeRecord(String address, NodeKind kind, Map<String, String> properties, boolean deleted) {
    private static final int DEAD_LETTER = 1;
    private static final int DELETED = 2;

    /** A kind and properties follow; without it the record is as in format 1, which knew queues only. */
    private static final int MORE = 4;

    static final RecordType<NodeRecord> TYPE =
            RecordType.ofValues(NodeRecord[]::new, NodeRecord::memoryBytes, NodeRecord::write, NodeRecord::read);

    static NodeRecord of(NodeDeclared node) {
        return new NodeRecord(node.address(), node.kind(), Map.copyOf(node.properties()), false);
    }

    NodeDeclared declared(long number) {
        return new NodeDeclared(number, address, kind, properties);
    }

    NodeRecord asDeleted() {
        return new NodeRecord(address, kind, properties, true);
    }

    private int memoryBytes() {
        int bytes = 64 + StringDataType.INSTANCE.getMemory(address);
        for (Map.Entry<String, String> property : properties.entrySet()) {
            bytes += StringDataType.INSTANCE.getMemory(property.getKey())
                    + StringDataType.INSTANCE.getMemory(property.getValue());
        }
        return bytes;
    }

    private static void write(WriteBuffer out, NodeRecord node) {
        boolean queue = node.kind == NodeKind.QUEUE || node.kind == NodeKind.DEAD_LETTER_QUEUE;
        boolean more = !queue || !node.properties.isEmpty();
        out.put((byte) ((node.kind == NodeKind.DEAD_LETTER_QUEUE ? DEAD_LETTER : 0)
                | (node.deleted ? DELETED : 0)
                | (more ? MORE : 0)));
        StringDataType.INSTANCE.write(out, node.address);
        if (more) {
            StringDataType.INSTANCE.write(out, node.kind.name());
            out.putVarInt(node.properties.size());
            new TreeMap<>(node.properties).forEach((name, value) -> {
                StringDataType.INSTANCE.write(out, name);
                StringDataType.INSTANCE.write(out, value);
            });
        }
    }

    private static NodeRecord read(ByteBuffer in) {
        int flags = in.get();
        String address = DataUtils.readString(in);
        boolean deleted = (flags & DELETED) != 0;
        if ((flags & MORE) == 0) {
            NodeKind kind = (flags & DEAD_LETTER) != 0 ? NodeKind.DEAD_LETTER_QUEUE : NodeKind.QUEUE;
            return new NodeRecord(address, kind, Map.of(), deleted);
        }
        NodeKind kind = NodeKind.valueOf(DataUtils.readString(in));
        Map<String, String> properties = new TreeMap<>();
        for (int left = DataUtils.readVarInt(in); left > 0; left--) {
            String name = DataUtils.readString(in);
            properties.put(name, DataUtils.readString(in));
        }
        return new NodeRecord(address, kind, Map.copyOf(properties), deleted);
    }
}
