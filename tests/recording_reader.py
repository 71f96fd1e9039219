#!/usr/bin/env python3
"""A second reader of the recording store, from recording_format.h and nothing else.

    recording_reader.py DIRECTORY              list what is in it
    recording_reader.py DIRECTORY ID OUT.wav   write one recording, decoded from its bytes
    recording_reader.py --test PATCHBAY MAKE   make a store with MAKE, read it here and with
                                               PATCHBAY, and hold one against the other; then
                                               hurt it at random, and do so again (SEED, ROUNDS)

It uses no line of Patchbay's code: its agreement with Patchbay's own export and account shows that
the format is what its description says.
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
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


def whole_extent(data, at, end, tag):
    """The extent of the segment with this tag that stands at `at`, when every bit of it is right; or None."""
    if at + 256 > end:
        return None
    e = Extent(data[at : at + EXTENT_MAX])
    if e.magic != EXTENT_MAGIC or e.tag != tag or not 256 <= e.used <= EXTENT_MAX or at + pad(e.used, BLOCK) > end:
        return None
    whole = bytearray(data[at : at + pad(e.used, BLOCK)])
    whole[8:12] = bytes(4)
    if crc32c(whole) != e.crc or e.version != 1 or not 256 <= e.head_bytes <= e.used or e.head_bytes % 8:
        return None
    return e


def tag_of(data, number):
    """From the head; where that is damaged, or of another segment, what most of the blocks say that look like extents."""
    if len(data) >= BLOCK:
        head = bytearray(data[:BLOCK])
        magic, version, _, crc, its_number, tag = struct.unpack_from("<QHHIQQ", head)
        head[12:16] = bytes(4)
        if magic == SEGMENT_MAGIC and version == 1 and crc32c(head) == crc and its_number == number:
            return tag
    seen = {}
    for at in range(BLOCK, len(data) - 255, BLOCK):
        if struct.unpack_from("<I", data, at)[0] == EXTENT_MAGIC:
            tag = struct.unpack_from("<Q", data, at + 72)[0]
            seen[tag] = seen.get(tag, 0) + 1
    return max(seen, key=seen.get) if seen else None


def data_end_of(data, number, tag):
    """Where the extents end, if the index is whole; else the end of the file."""
    if len(data) < BLOCK + 64:
        return len(data)
    tail = data[-64:]
    magic, version, _, crc, its_number, its_tag, _, offset, entries, _, data_end = struct.unpack("<QHHIQQQQIIQ", tail)
    if (magic, version, its_number, its_tag) != (INDEX_MAGIC, 1, number, tag) or offset % BLOCK or entries > len(data) // 64 \
            or offset + pad(64 * entries + 64, BLOCK) != len(data) or not BLOCK <= data_end <= offset:
        return len(data)
    index = data[offset : offset + 64 * entries]
    return data_end if crc32c(index + tail[:12] + bytes(4) + tail[16:]) == crc else len(data)


def salvage(directory):
    """All whole extents of a damaged store, in file order."""
    for name in sorted(os.listdir(directory)):
        if not (name.startswith("seg-") and name.endswith(".pbseg")):
            continue
        with open(os.path.join(directory, name), "rb") as f:
            data = f.read()
        number = int(name[4:12], 16)
        tag = tag_of(data, number)
        if tag is None:
            continue
        at, end = BLOCK, data_end_of(data, number, tag)
        while at < end:
            e = whole_extent(data, at, end, tag)
            if e is not None:
                yield e
            at += pad(e.used, BLOCK) if e is not None else BLOCK


def salvaged(directory):
    """What verification should count in it: extents, frames, recordings, and frames written and masked by channel, doubles once."""
    extents, frames, once = 0, 0, {}
    for e in salvage(directory):
        extents += 1
        frames += sum(1 for _ in e.frames())
        once.setdefault((e.id, e.part_ns, e.seq), e)
    sound = [f for e in once.values() for f in e.frames() if f[0] == AUDIO]
    return {"extents": extents, "frames": frames, "recordings": len({key[0] for key in once}),
            "written": [sum(f[1] == c for f in sound) for c in (0, 1)],
            "masked": [sum(f[1] == c and f[3] & MASKED for f in sound) for c in (0, 1)]}


def hurt(directory, rng):
    """One to three times: flip a bit, zero or move blocks, cut a file."""
    names = sorted(n for n in os.listdir(directory) if n.startswith("seg-"))
    for _ in range(rng.randint(1, 3)):
        path = os.path.join(directory, rng.choice(names))
        with open(path, "rb") as f:
            data = bytearray(f.read())
        what, blocks = rng.randrange(4), max(1, len(data) // BLOCK)
        at, to = rng.randrange(blocks) * BLOCK, rng.randrange(blocks) * BLOCK
        if what == 0 and data:
            data[rng.choice((rng.randrange(len(data)), rng.randrange(min(BLOCK, len(data))), len(data) - 1 - rng.randrange(min(64, len(data)))))] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[at : at + BLOCK] = bytes(len(data[at : at + BLOCK]))
        elif what == 2:
            piece = data[at : at + BLOCK]
            data[to : to + len(piece)] = piece
        elif data:
            del data[rng.randrange(len(data)) :]
        with open(path, "wb") as f:
            f.write(data)


def test_damage(patchbay, directory, rounds, seed):
    """Both readers find the same in whatever is left, and never more than there was."""
    names = [n for n in os.listdir(directory) if n.startswith("seg-")]
    original = {}
    for name in names:
        with open(os.path.join(directory, name), "rb") as f:
            original[name] = f.read()
    for k in range(rounds):
        for name, data in original.items():
            with open(os.path.join(directory, name), "wb") as f:
                f.write(data)
        hurt(directory, random.Random(seed + k))
        asked = subprocess.run([patchbay, "--json", "--store", directory, "recordings", "verify"], capture_output=True, check=False)
        assert asked.returncode in (0, 1), (seed + k, asked.stderr)
        said = json.loads(asked.stdout)
        theirs = {key: said[key] for key in ("extents", "frames", "recordings")}
        for member in ("written", "masked"):
            theirs[member] = [c[member] for c in said["account"]["channels"]]
        ours = salvaged(directory)
        assert theirs == ours, f"SEED={seed + k} ROUNDS=1: {theirs}, here {ours}"


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
        seed = int(os.environ.get("SEED", time.time()))
        print(f"     seed {seed}")
        test_damage(patchbay, directory, int(os.environ.get("ROUNDS", "12")), seed)
        print("ok   and when they are damaged, too")
    print("2 passed, 0 failed")


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
