"""Talk-off: hours of made speech, in several languages and voices, and how many keys the detector hears in it."""
import glob
import json
import os
import shutil
import subprocess

from .machine import TOP

# Voices of espeak-ng; each reads on where the one before stopped.
LANGUAGES = ["en-us", "en-gb", "de", "fr", "es", "it", "pt", "cmn", "yue"]
VARIANTS = ["", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f4", "+f5"]
PIECE = 6000  # letters that one voice reads: some minutes


def texts():
    """What is read aloud: licences, this project's own documents, the Chinese prompts."""
    for path in sorted(glob.glob("/usr/share/common-licenses/*")) + sorted(glob.glob(f"{TOP}/**/*.md", recursive=True)):
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, errors="replace") as f:
                yield f.read()


def pieces():
    """(voice, pitch, words a minute, gain in dB, text) without end."""
    with open(f"{TOP}/control/example/prompts/zh.txt", errors="replace") as f:
        chinese = f.read()
    n = 0
    while True:
        for text in texts():
            for at in range(0, len(text), PIECE):
                language = LANGUAGES[n % len(LANGUAGES)]
                yield (language + VARIANTS[n // len(LANGUAGES) % len(VARIANTS)], 10 + n * 17 % 90, 120 + n * 23 % 100, -(n * 5 % 24),
                       chinese if language in ("cmn", "yue") else text[at:at + PIECE])
                n += 1


def speak(voice, pitch, speed, gain, text):
    """Samples of 16 bits at 8 kHz."""
    said = subprocess.run(["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"], input=text.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return subprocess.run(["sox", "-V1", "-t", "wav", "--ignore-length", "-", "-t", "raw", "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-",
                           "gain", "-n", str(gain - 1)], input=said.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def run(build, hours, say):
    if not shutil.which("espeak-ng") or not shutil.which("sox"):
        return {"talk_off_keys": None, "doubt": "espeak-ng or sox is not installed"}
    listener = subprocess.Popen([f"{build}/bench/bench_talkoff"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    left, voices = int(hours * 3600 * 16000), set()
    for piece in pieces():
        sound = speak(*piece)[:left]
        voices.add(piece[0])
        listener.stdin.write(sound)
        left -= len(sound)
        if left <= 0:
            break
    heard = json.loads(listener.communicate()[0])
    say(f"talk-off: {heard['keys']} keys in {heard['hours']:.2f} hours of speech by {len(voices)} voices")
    return {"talk_off_keys": heard["keys"], "talk_off_hours": heard["hours"], "talk_off_voices": len(voices), "talk_off_found": heard["found"], "doubt": ""}
