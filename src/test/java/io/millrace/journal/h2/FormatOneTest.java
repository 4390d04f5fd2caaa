package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.Lane;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.LongDataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores that the first version wrote, before messages had details and nodes had kinds. */
class FormatOneTest {
    private static final MessageKey KEY = new MessageKey(1, 0, 5);
    private static final byte[] BYTES = "a message of the first version".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path directory;

    /** As the first version wrote it, byte for byte. */
    private static ByteBuffer oldMessage() {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(32)
                .putLong(KEY.queue())
                .putInt(KEY.order())
                .putLong(KEY.sequence())
                .putLong(1_700_000_000_000L)
                .putInt(3)
                .flip());
        crc.update(BYTES);
        ByteBuffer record = ByteBuffer.allocate(100);
        DataUtils.writeVarLong(record, 1_700_000_000_000L);
        DataUtils.writeVarInt(record, 3);
        record.putInt((int) crc.getValue());
        DataUtils.writeVarInt(record, BYTES.length);
        DataUtils.writeVarInt(record, BYTES.length);
        return record.put(BYTES).flip();
    }

    private static ByteBuffer oldQueue(int flags, String address) {
        ByteBuffer record = ByteBuffer.allocate(100).put((byte) flags);
        DataUtils.writeVarInt(record, address.length());
        return record.put(address.getBytes(StandardCharsets.US_ASCII)).flip();
    }

    @Test
    void recordsWithoutAnythingNewAreWrittenAsTheyWere() {
        MessageRecord record = MessageRecord.Type.INSTANCE.read(oldMessage());
        assertTrue(record.isSound(KEY, BYTES));
        assertEquals(Details.NONE, record.details());
        WriteBuffer written = new WriteBuffer();
        MessageRecord.Type.INSTANCE.write(written, record);
        assertEquals(oldMessage(), written.getBuffer().flip());

        NodeRecord node = NodeRecord.TYPE.read(oldQueue(1, "orders.dlq"));
        NodeDeclared dead = new NodeDeclared(4, "orders.dlq", NodeKind.DEAD_LETTER_QUEUE, Map.of());
        assertEquals(dead, node.declared(4));
        WriteBuffer nodeWritten = new WriteBuffer();
        NodeRecord.TYPE.write(nodeWritten, node);
        assertEquals(oldQueue(1, "orders.dlq"), nodeWritten.getBuffer().flip());
    }

    @Test
    void aStoreIsReadAndIsOfTheNewFormatFromThenOn() throws Exception {
        H2Journal.Options options = H2Journal.Options.in(directory);
        MVStore old = StoreFile.open(options, () -> false).store();
        Tables.map(old, "messages", MessageKeyType.INSTANCE, MessageRecord.Type.INSTANCE)
                .put(KEY, MessageRecord.Type.INSTANCE.read(oldMessage()));
        Tables.map(old, "entities", LongDataType.INSTANCE, NodeRecord.TYPE)
                .put(1L, NodeRecord.TYPE.read(oldQueue(0, "orders")));
        Tables.map(old, "counters", LongDataType.INSTANCE, Counters.Type.INSTANCE)
                .put(1L, new Counters(1, BYTES.length, Counters.BLOCK));
        old.setStoreVersion(1);
        old.commit();
        old.close();

        H2Journal journal = H2Journal.open(options, failure -> {
            throw failure;
        });
        NodeDeclared orders = new NodeDeclared(1, "orders", NodeKind.QUEUE, Map.of());
        assertEquals(
                List.of(new RecoveredNode(orders, BYTES.length, List.of(new Lane(0, 1)), Counters.BLOCK, List.of())),
                journal.recover());
        CompletableFuture<List<StoredMessage>> run = new CompletableFuture<>();
        journal.reader().read(new MessageKey(1, 0, -1), 10, 1000, Runnable::run, run::complete);
        assertArrayEquals(BYTES, run.get(20, TimeUnit.SECONDS).get(0).bytes());
        journal.close(Duration.ofSeconds(20));

        StoreFile file = StoreFile.open(options, () -> false);
        assertEquals(StoreFile.FORMAT, file.store().getStoreVersion());
        file.store().close();
    }
}
