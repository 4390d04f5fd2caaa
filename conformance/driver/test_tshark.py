"""tshark's judgement, of captures that are made here byte by byte: it must be able to fail."""

import shutil
import struct
import tempfile
import unittest
from pathlib import Path

from driver import tshark

PORT, CLIENT = 5999, 40000
HEADER = b"AMQP\x00\x01\x00\x00"
BEGAN = 1_700_000_000


def frame(body: bytes, kind: int = 0) -> bytes:
    return struct.pack(">IBBH", 8 + len(body), 2, kind, 0) + body


def listed(code: int, count: int, fields: bytes) -> bytes:
    return bytes([0x00, 0x53, code, 0xC0, len(fields) + 1, count]) + fields


OPEN = frame(listed(0x10, 1, b"\xa1\x01c"))
BEGIN = frame(listed(0x11, 4, b"\x40\x43\x52\x0a\x52\x0a"))
CLOSE = frame(listed(0x18, 0, b""))
TRANSFER = listed(0x14, 6, b"\x43\x43\xa0\x01t\x43\x42\x41")
# It says that it has two fields, and has the half of one.
BROKEN_OPEN = frame(listed(0x10, 2, b"\xa1\x09c"))
NO_FRAME_TYPE = frame(listed(0x10, 1, b"\xa1\x01c"), kind=7)


class Pcap:
    """A conversation in the pcap format: packets of IP, a second apart."""

    def __init__(self, folder: str):
        self.file = Path(folder) / "made.pcap"
        self._packets: list[bytes] = []
        self._sequence = {True: 1000, False: 5000}
        self._packet(False, b"", 0x02)
        self._packet(True, b"", 0x12)

    def client(self, *payloads: bytes) -> "Pcap":
        for each in payloads:
            self._packet(False, each, 0x18)
        return self

    def broker(self, *payloads: bytes) -> "Pcap":
        for each in payloads:
            self._packet(True, each, 0x18)
        return self

    def again(self, payload: bytes) -> "Pcap":
        """The broker's last packet once more."""
        self._sequence[True] -= len(payload)
        return self.broker(payload)

    def end(self, by_broker: bool) -> "Pcap":
        self._packet(by_broker, b"", 0x11)
        return self

    def judge(self, kills: list[float] | None = None) -> tshark.Judgement:
        self.write()
        return tshark.judge(self.file, [PORT], kills)

    def write(self) -> None:
        data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
        for second, packet in enumerate(self._packets):
            data += struct.pack("<IIII", BEGAN + second, 0, len(packet), len(packet)) + packet
        self.file.write_bytes(data)

    def _packet(self, by_broker: bool, payload: bytes, flags: int) -> None:
        source, target = (PORT, CLIENT) if by_broker else (CLIENT, PORT)
        tcp = struct.pack(
            ">HHIIBBHHH", source, target, self._sequence[by_broker], self._sequence[not by_broker], 0x50, flags, 65535, 0, 0
        )
        self._sequence[by_broker] += len(payload) + (flags & 0x03 != 0)
        home = bytes([127, 0, 0, 1])
        self._packets.append(struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0) + home + home + tcp + payload)


@unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
class Judgements(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pcap = Pcap(folder.name)
        self.pcap.client(HEADER, OPEN).broker(HEADER, OPEN)

    def assert_faults_of_the_broker(self, found: tshark.Judgement, text: str):
        self.assertEqual(1, found.broker.packets, found)
        self.assertIn(text, "\n".join(found.broker.faults))
        self.assertEqual(0, found.clients.packets, found)

    def test_a_good_conversation_has_no_fault(self):
        found = self.pcap.client(BEGIN).broker(BEGIN).client(CLOSE).broker(CLOSE).end(False).judge()
        self.assertEqual((1, 3, 3), (found.connections, found.broker.frames, found.clients.frames))
        self.assertEqual((0, [], 0, []), (found.broker.packets, found.broker.faults, found.clients.packets, found.clients.faults))
        self.assertEqual(0, found.cut_off)

    def test_a_broken_frame_of_the_broker_is_a_fault(self):
        self.assert_faults_of_the_broker(self.pcap.broker(BROKEN_OPEN).judge(), "Malformed")

    def test_a_frame_of_an_unknown_type_of_the_broker_is_a_fault(self):
        self.assert_faults_of_the_broker(self.pcap.broker(NO_FRAME_TYPE).judge(), "")

    def test_a_broken_frame_in_pieces_between_good_ones_is_found(self):
        data = BEGIN + BROKEN_OPEN
        self.assert_faults_of_the_broker(self.pcap.broker(data[:20], data[20:40], data[40:]).judge(), "Malformed")

    def test_a_broken_frame_of_a_client_is_none_of_the_broker(self):
        found = self.pcap.client(BROKEN_OPEN).judge()
        self.assertEqual((0, 1), (found.broker.packets, found.clients.packets))

    def test_frames_in_pieces_are_whole(self):
        data = BEGIN + CLOSE
        found = self.pcap.broker(*(data[i : i + 1] for i in range(len(data)))).end(True).judge()
        self.assertEqual((3, 0, 0), (found.broker.frames, found.broker.packets, found.cut_off))

    def test_a_broker_that_ends_a_connection_within_a_frame_is_at_fault(self):
        self.assert_faults_of_the_broker(self.pcap.broker(BEGIN[:9]).end(True).judge(), "within a frame; 9 bytes")

    def test_but_not_when_it_was_killed_or_the_client_was_gone_first(self):
        self.pcap.broker(BEGIN[:9]).end(True)
        found = self.pcap.judge(kills=[BEGAN + 6.5])
        self.assertEqual((0, 1), (found.broker.packets, found.cut_off))
        self.assertEqual(1, self.pcap.judge(kills=[BEGAN + 60.0]).broker.packets)

    def test_a_client_that_is_gone_gets_no_whole_frame(self):
        found = self.pcap.broker(BEGIN[:9]).end(False).end(True).judge()
        self.assertEqual((0, 1), (found.broker.packets, found.cut_off))

    def test_what_tcp_sends_again_is_no_fault(self):
        found = self.pcap.broker(BEGIN).again(BEGIN).broker(CLOSE).end(True).judge()
        self.assertEqual((0, 0), (found.broker.packets, found.cut_off))

    def test_the_sections_of_a_message_are_the_clients(self):
        piece = frame(TRANSFER + bytes([0x99] * 40))
        found = self.pcap.broker(piece, CLOSE).judge()
        self.assertEqual((0, 1), (found.broker.packets, found.broker.messages), found)

    def test_tshark_has_flaws_with_messages_that_are_legal(self):
        legal = {
            "Trying to fetch an unsigned integer": listed(0x73, 1, b"\x80\0\0\0\0\0\0\0\5"),  # a message-id that is an ulong
            "Dissector bug": b"\0\x53\x77\xa0\0",  # a body that is an empty binary
            "bigger than array size": b"\0\x53\x77\xe0\2\3\x41",  # an array of three times true, which takes no byte
            "Unknown AMQP type 0 ": b"\0\x53\x77\0\xa3\1d\x54\1",  # a body that is described
            "Unknown AMQP map key type": b"\0\x53\x77\xc1\6\2\xc0\1\0\x54\1",  # a map whose key is a list
        }
        for said, message in legal.items():
            with self.subTest(said), tempfile.TemporaryDirectory() as folder:
                found = Pcap(folder).client(HEADER).broker(HEADER, frame(TRANSFER[:-1] + b"\x42" + message), CLOSE).judge()
                self.assertEqual((0, 0), (found.broker.packets, found.cut_off), found)
                if tshark.version().startswith("4.0."):
                    self.assertIn(said, "".join(found.broker.in_messages))

    def test_after_a_message_at_which_tshark_gives_up_it_has_lost_its_place(self):
        piece = frame(TRANSFER + b"\0\x53\x77\xa0\0")
        found = self.pcap.broker(piece + CLOSE + piece[:30], piece[30:]).broker(BROKEN_OPEN).judge()
        if tshark.version().startswith("4.0."):
            self.assertEqual((0, {0}), (found.broker.packets, found.broker.lost), found)

    def test_but_the_performative_of_a_transfer_is_the_brokers(self):
        broken = frame(listed(0x14, 7, b"\x43\x43\xa0\x01t\x43\x42\xa1"))
        self.assertEqual(1, self.pcap.broker(broken).judge().broker.packets)

    def test_frames_of_a_time_are_decoded(self):
        self.pcap.client(BEGIN, frame(TRANSFER + b"\x00\x53\x77\xa1\x02hi")).broker(CLOSE).write()
        spans = [tshark.Span(BEGAN + 5.5, BEGAN + 7.5), tshark.Span(BEGAN + 7.5, BEGAN + 99), tshark.Span(0, 1)]
        first, second, third = tshark.frames(self.pcap.file, [PORT], spans)
        self.assertEqual(2, len(first), first)
        self.assertRegex(first[0], r"^22:13:26\.000000 40000 -> \[0\] begin Next-Outgoing-Id: 0, Incoming-Window: 10")
        self.assertIn("AMQP-Value (str8-utf8): hi", first[1])
        self.assertEqual((["22:13:28.000000 40000 <- [0] close"], []), (second, third))
