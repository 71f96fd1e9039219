"""RTP streams as capture files, for sipp to play: a tone in G.711 mu-law, with a key pressed in it."""
import math
import struct


def ulaw(sample):
    """One 16-bit sample as G.711 mu-law (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def frame(payload):
    """Ethernet, IPv4 and UDP around an RTP packet; sipp puts its own addresses in."""
    udp = struct.pack(">HHHH", 10000, 10000, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes((127, 0, 0, 1)), bytes((127, 0, 0, 1)))
    return bytes(12) + b"\x08\x00" + ip + udp


def sine(*hz):
    """One second of tones together; whole frequencies, so that it can be repeated."""
    return bytes(ulaw(int(sum(12000 / len(hz) * math.sin(2 * math.pi * f * i / 8000) for f in hz))) for i in range(8000))


def write(path, hz, seconds, digit=None, sound_digit=None, digit_at_s=3.0, ssrc=0x5150):
    """A capture of `seconds` of a tone in 20 ms packets. At digit_at_s a key is pressed for 100 ms: `digit` as
    telephone-event, or `sound_digit`, a pair of frequencies, in the sound."""
    tone = sine(hz)
    key = sine(*sound_digit) if sound_digit else None
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        seq, begin = 0, int(digit_at_s * 50)
        for n in range(int(seconds * 50)):
            at, ts = n * 0.02, n * 160
            packets = [(0, ts, tone[ts % 8000:ts % 8000 + 160])]
            if digit is not None and begin <= n < begin + 8:
                end = n >= begin + 5
                duration = min(n - begin + 1, 5) * 160
                event = struct.pack(">BBH", digit, (0x80 if end else 0) | 10, duration)
                packets = [(101, begin * 160, event)]
            if key is not None and begin - 5 <= n < begin + 10:
                press = key if begin <= n < begin + 5 else bytes([0xFF]) * 8000
                packets = [(0, ts, press[ts % 8000:ts % 8000 + 160])]
            for pt, stamp, payload in packets:
                rtp = struct.pack(">BBHII", 0x80, pt | (0x80 if n == 0 or (pt == 101 and n == begin) else 0), seq & 0xFFFF, stamp, ssrc) + payload
                data = frame(rtp)
                out.write(struct.pack("<IIII", int(at), int(at * 1e6) % 1000000, len(data), len(data)) + data)
                seq += 1
