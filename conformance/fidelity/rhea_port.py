"""The other client: rhea, in a process of its own (rhea_port.js), which is told what to do line by line."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Dict, List

LIMIT_SECONDS = 45


class RheaPort:
    name = "rhea"

    def __init__(self) -> None:
        script = Path(__file__).with_name("rhea_port.js")
        self.process = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self.ask({"do": "version"})["version"]

    def ask(self, command: Dict) -> Dict:
        """One command and its answer. The script has limits of its own; should it hang all the same, it is killed."""
        watch = threading.Timer(LIMIT_SECONDS, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        finally:
            watch.cancel()
        if not line:
            raise AssertionError("rhea's process ended")
        answer = json.loads(line)
        if "fault" in answer:
            raise AssertionError(answer["fault"])
        return answer

    def send(self, address: str, messages: List[bytes], **options) -> List[str]:
        hexes = [message.hex() for message in messages]
        return self.ask({"do": "send", "address": address, "messages": hexes, "options": options})["outcomes"]

    def receive(self, address: str, count: int, **options) -> List[bytes]:
        answer = self.ask({"do": "receive", "address": address, "count": count, "options": options})
        return [bytes.fromhex(message) for message in answer["messages"]]

    def decode(self, message: bytes) -> List:
        """What its sections mean, but the header."""
        return self.ask({"do": "decode", "message": message.hex()})["means"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(5)
