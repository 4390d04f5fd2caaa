package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.junit.jupiter.api.Test;

/** Bytes in, frames out, however the bytes are cut. */
class FrameInputTest {
    private final List<String> frames = new ArrayList<>();
    private final List<byte[]> payloads = new ArrayList<>();
    private final List<Condition> broken = new ArrayList<>();
    private final FrameInput input = new FrameInput(4096, new FrameInput.Frames() {
        @Override
        public void frame(int channel, FrameBody body, Binary payload) {
            frames.add(channel + " " + body.getClass().getSimpleName());
            if (payload != null) {
                payloads.add(payload.getArray());
            }
        }

        @Override
        public void broken(Condition why) {
            broken.add(why);
        }
    });

    private static byte[] stream() {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        stream.writeBytes(Peer.frame(0, Peer.transfer(0, 0), new byte[4000]));
        stream.writeBytes(Peer.frame(7, null));
        stream.writeBytes(Peer.frame(1, Peer.transfer(0, 1), (byte) 1, (byte) 2));
        stream.writeBytes(Peer.frame(300, Peer.newBegin()));
        return stream.toByteArray();
    }

    private void expectAll() {
        assertEquals(List.of("0 Transfer", "7 EmptyFrame", "1 Transfer", "300 Begin"), frames);
        assertArrayEquals(new byte[4000], payloads.get(0));
        assertArrayEquals(new byte[] {1, 2}, payloads.get(1));
        assertTrue(broken.isEmpty());
    }

    @Test
    void allAtOnceOnTheHeapAndOffIt() {
        input.receive(ByteBuffer.wrap(stream()));
        expectAll();
        frames.clear();
        payloads.clear();
        byte[] stream = stream();
        ByteBuffer direct = ByteBuffer.allocateDirect(stream.length).put(stream).flip();
        input.receive(direct);
        assertFalse(direct.hasRemaining());
        expectAll();
    }

    @Test
    void cutAnywhere() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            byte[] stream = stream();
            frames.clear();
            payloads.clear();
            for (int at = 0; at < stream.length; ) {
                int count = Math.min(stream.length - at, 1 + random.nextInt(seed % 2 == 0 ? 3 : 3000));
                ByteBuffer part = ByteBuffer.wrap(stream, at, count);
                input.receive(part);
                assertFalse(part.hasRemaining());
                if (random.nextInt(10) == 0) {
                    input.trim();
                }
                at += count;
            }
            expectAll();
        }
    }

    @Test
    void nothingIsReadAfterBrokenBytes() {
        input.receive(ByteBuffer.wrap(new byte[] {0, 0}));
        input.receive(ByteBuffer.wrap(new byte[] {0, 7}));
        assertEquals(Condition.FRAMING_ERROR, broken.get(0).symbol());
        input.receive(ByteBuffer.wrap(stream()));
        assertTrue(frames.isEmpty());
        assertEquals(1, broken.size());
    }

    @Test
    void nothingIsReadAfterAStop() {
        input.stop();
        input.receive(ByteBuffer.wrap(stream()));
        assertTrue(frames.isEmpty());
        assertTrue(broken.isEmpty());
    }
}
