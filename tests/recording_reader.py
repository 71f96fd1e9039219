#!/usr/bin/env python3
"""A second reader of the recording store, from recording_format.h and nothing else.

    recording_reader.py DIRECTORY              list what is in it
    recording_reader.py DIRECTORY ID OUT.wav   write one recording, decoded from its bytes
    recording_reader.py --test PATCHBAY MAKE   make a store with MAKE, read it here and with
                                               PATCHBAY, and hold one against the other

It uses no line of Patchbay's code: its agreement with Patchbay's own export and account shows that
the format is what its description says.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import wave

BLOCK, EXTENT_MAX = 4096, 16384
SEGMENT_MAGIC, EXTENT_MAGIC, INDEX_MAGIC = 0x31474553434E4250, 0x54584250, 0x4C414553434E4250
AUDIO, METADATA, LOSS, END, MASK, UNMASK = 1, 2, 7, 8, 9, 10
MASKED, FRESH = 1, 2


def crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


TABLE = list(crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc = TABLE[(crc ^ b) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def pad(n, unit):
    return (n + unit - 1) // unit * unit


class Extent:
    def __init__(self, block):
        (self.magic, self.version, self.head_bytes, self.crc, self.used, self.id, self.part_ns, self.seq, self.wall_ns, self.mono_ns,
         self.last_ns, self.tag, _, _, self.flags, self.minor, _) = struct.unpack_from("<IHHII16sQQQQQQQQIHH", block)
        self.channel = [struct.unpack_from("<QQQB", block, 104 + 32 * c)[:3] for c in (0, 1)]  # before, written, lost
        self.more = [struct.unpack_from("<Qq", block, 176 + 16 * c) for c in (0, 1)]  # masked, missing
        self.seq_next = list(struct.unpack_from("<HH", block, 208))
        self.bytes = block[: self.used]

    def frames(self):
        at = self.head_bytes
        while at < self.used:
            length, kind, channel, codec, flags, seq, timestamp, time_us = struct.unpack_from("<HBBBBHII", self.bytes, at)
            at += 16
            yield kind, channel, codec, flags, seq, timestamp, time_us, self.bytes[at : at + length]
            at += pad(length, 8)
        assert at == self.used, "frames fill the extent"


def extents_of(path):
    """The extents of a segment, from its blocks; and from its index where it is sealed: they must be the same."""
    with open(path, "rb") as f:
        data = f.read()
    head = bytearray(data[:BLOCK])
    magic, version, head_bytes, crc, number, tag = struct.unpack_from("<QHHIQQ", head)
    head[12:16] = bytes(4)
    assert magic == SEGMENT_MAGIC and version == 1 and head_bytes == BLOCK and crc32c(head) == crc, "segment head"
    found, at = [], BLOCK
    while at + BLOCK <= len(data):
        block = data[at : at + EXTENT_MAX]
        e = Extent(block)
        if e.magic != EXTENT_MAGIC or e.tag != tag or not 256 <= e.used <= EXTENT_MAX:
            at += BLOCK
            continue
        whole = bytearray(data[at : at + pad(e.used, BLOCK)])
        whole[8:12] = bytes(4)
        assert crc32c(whole) == e.crc, "extent checksum"
        found.append((at, e))
        at += len(whole)
    tail = data[-64:]
    magic, version, _, crc, tail_number, tail_tag, _, offset, entries, _, data_end = struct.unpack("<QHHIQQQQIIQ", tail)
    if magic == INDEX_MAGIC and tail_tag == tag:
        index = data[offset : offset + 64 * entries]
        assert crc32c(index + tail[:12] + bytes(4) + tail[16:]) == crc and tail_number == number, "index checksum"
        listed = [struct.unpack_from("<16sQQQQIIII", index, 64 * i) for i in range(entries)]
        assert [(o, e.id, e.part_ns, e.seq, e.used) for o, e in found] == [(x[5], x[0], x[1], x[2], x[6]) for x in listed], "index"
    return [e for _, e in found]


def recordings(directory):
    """{id: {(part, seq): extent}}"""
    all_of = {}
    for name in sorted(os.listdir(directory)):
        if name.startswith("seg-") and name.endswith(".pbseg"):
            for e in extents_of(os.path.join(directory, name)):
                all_of.setdefault(e.id, {})[e.part_ns, e.seq] = e
    return all_of


def ulaw(b):
    b = ~b & 255
    value = (((b & 15) << 3) + 132 << (b >> 4 & 7)) - 132
    return -value if b & 128 else value


def account(parts):
    """Recomputed from the frames, and compared with what each head says. One part is enough here."""
    sums = [{"written": 0, "lost": 0, "masked": 0, "missing": 0} for _ in (0, 1)]
    expected_seq = 0
    for (_, seq), e in sorted(parts.items()):
        assert seq == expected_seq, "extents follow one another"
        expected_seq += 1
        for kind, channel, _, flags, rtp_seq, _, _, payload in e.frames():
            s = sums[channel]
            if kind == LOSS:
                s["lost"] += struct.unpack_from("<Q", payload)[0]
            if kind != AUDIO:
                continue
            s["written"] += 1
            s["masked"] += flags & MASKED
            ahead = rtp_seq - e.seq_next[channel] & 0xFFFF
            if not flags & FRESH and ahead >= 0x10000 - 100:
                s["missing"] -= 1
                continue
            if not flags & FRESH and ahead < 3000:
                s["missing"] += ahead
            e.seq_next[channel] = rtp_seq + 1 & 0xFFFF
        for c in (0, 1):
            assert (sums[c]["written"], sums[c]["lost"]) == e.channel[c][1:], "account"
            assert (sums[c]["masked"], sums[c]["missing"]) == e.more[c], "account of 1.1"
    return sums


def sound(parts):
    """Both channels, each frame where its timestamp puts it: right where there is one source without jitter."""
    lanes = [{}, {}]
    for _, e in sorted(parts.items()):
        for kind, channel, codec, _, _, timestamp, _, payload in e.frames():
            if kind == AUDIO and codec == 1:
                lanes[channel][timestamp] = [ulaw(b) for b in payload]
    end = max(t + len(p) for lane in lanes for t, p in lane.items())
    pcm = [[0] * end, [0] * end]
    for c, lane in enumerate(lanes):
        for t, p in lane.items():
            pcm[c][t : t + len(p)] = p
    return b"".join(struct.pack("<hh", a, b) for a, b in zip(*pcm))


def test(patchbay, make):
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([make, directory], check=True, stderr=subprocess.DEVNULL)
        mine = recordings(directory)
        assert len(mine) == 2, f"{len(mine)} recordings"
        asked = subprocess.run([patchbay, "--json", "--store", directory, "recordings", "verify"], check=True, capture_output=True)
        theirs = json.loads(asked.stdout)["account"]["channels"]
        sums = [account(parts) for parts in mine.values()]
        for c in (0, 1):
            for member in ("written", "lost", "masked", "missing"):
                assert sum(s[c][member] for s in sums) == theirs[c][member], (c, member, sums, theirs)
        assert theirs[0]["masked"] == 50 and theirs[1]["missing"] == 4, theirs
        for number, parts in mine.items():
            out = os.path.join(directory, "theirs.wav")
            subprocess.run([patchbay, "--store", directory, "recordings", "export", number.hex()[:8], "--output", out], check=True, capture_output=True)
            with wave.open(out) as w:
                exported = w.readframes(w.getnframes())
            ours = sound(parts)
            assert exported[: len(ours)] == ours, f"the sound of {number.hex()} differs"
    print("ok   the bytes say the same to another program")
    print("1 passed, 0 failed")


def main():
    if sys.argv[1:2] == ["--test"] and len(sys.argv) == 4:
        return test(*sys.argv[2:])
    if len(sys.argv) == 2:
        for number, parts in recordings(sys.argv[1]).items():
            print(number.hex(), len(parts), "extents", json.dumps(account(parts)))
        return None
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with wave.open(sys.argv[3], "wb") as w:
        w.setparams((2, 2, 8000, 0, "NONE", ""))
        w.writeframes(sound(recordings(sys.argv[1])[bytes.fromhex(sys.argv[2].replace("-", ""))]))
    return None


if __name__ == "__main__":
    main()
