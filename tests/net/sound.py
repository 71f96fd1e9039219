"""What can be heard in a WAV: tones per window, level, gaps. Audio is judged by content, not by size."""
import time
import wave

import numpy

WINDOW_S = 0.1


def read(path):
    """Samples of a WAV as float in -1..1, shape (channels, n), and the rate. A phone writes its file's
    header when the call has ended: wait a moment for that."""
    for _ in range(20):
        try:
            wave.open(path).close()
            break
        except (wave.Error, EOFError):
            time.sleep(0.2)
    with wave.open(path) as wav:
        rate, channels = wav.getframerate(), wav.getnchannels()
        if wav.getsampwidth() != 2:
            raise ValueError(f"{path}: not 16 bit")
        raw = numpy.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
    return raw.reshape(-1, channels).T / 32768.0, rate


def tone_levels(samples, rate, hz, window_s=WINDOW_S):
    """Amplitude of the tone `hz` in each window (single-bin DFT, Hann window)."""
    n = int(rate * window_s)
    count = len(samples) // n
    if count == 0:
        return numpy.zeros(0)
    frames = samples[:count * n].reshape(count, n)
    window = numpy.hanning(n)
    probe = window * numpy.exp(-2j * numpy.pi * hz * numpy.arange(n) / rate)
    return numpy.abs(frames @ probe) * 2 / window.sum()


def tone_seconds(samples, rate, hz, threshold=0.05):
    """How long the tone is heard, in seconds."""
    return float((tone_levels(samples, rate, hz) > threshold).sum() * WINDOW_S)


def tone_spans(samples, rate, hz, threshold=0.05):
    """[(from_s, to_s)] in which the tone is heard without a break longer than one window."""
    spans, start = [], None
    on = tone_levels(samples, rate, hz) > threshold
    for i, now in enumerate(list(on) + [False]):
        if now and start is None:
            start = i
        elif not now and start is not None:
            spans.append((start * WINDOW_S, i * WINDOW_S))
            start = None
    merged = []
    for a, b in spans:
        if merged and a - merged[-1][1] <= WINDOW_S * 1.5:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    return merged


def level_db(samples):
    rms = float(numpy.sqrt(numpy.mean(samples ** 2))) if len(samples) else 0.0
    return -100.0 if rms == 0 else 20 * numpy.log10(rms)


def voiced_seconds(samples, rate, threshold_db=-45):
    """Seconds of windows louder than the threshold."""
    n = int(rate * WINDOW_S)
    count = len(samples) // n
    frames = samples[:count * n].reshape(count, n)
    rms = numpy.sqrt((frames ** 2).mean(axis=1)) + 1e-9
    return float((20 * numpy.log10(rms) > threshold_db).sum() * WINDOW_S)
