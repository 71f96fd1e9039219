"""Volumes that are full, pulled, slow or broken under the real engine, and what callers meet then."""
import os
import shutil
import tempfile
import time

import lab as labs
import scene
import sound
from lab import Lab, Skip, wait_until
from scene import CALLER_HZ
from test_call import expect


class Mounts:
    """Directories with file systems of their own, taken away in the end."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="patchbay-volume-")
        self.mounted, self.devices = [], []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for path in reversed(self.mounted):
            labs.run("umount", "-l", path, check=False)
        for command in reversed(self.devices):
            labs.run(*command, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        path = f"{self.dir}/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def tmpfs(self, name, size):
        path = self.path(name)
        labs.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
        self.mounted.append(path)
        return path

    def twice(self, name, size):
        """The same file system at NAME and at NAME-real."""
        real, path = self.tmpfs(f"{name}-real", size), self.path(name)
        labs.run("mount", "--bind", real, path)
        self.mounted.append(path)
        return path


def pull(lab, path):
    """Take a mount away from the engine, which has mounts of its own; others still see it."""
    labs.run("nsenter", "-t", str(lab.engine.pid), "-m", "umount", "-l", path)


def put_back(lab, path):
    labs.run("nsenter", "-t", str(lab.engine.pid), "-m", "mount", "--bind", f"{path}-real", path)


def recorder(lab):
    return lab.media("stat.engine")["recorder"]


def alarms(lab):
    return {a["area"]: a["text"] for a in lab.control("status")["alarms"]}


def refusing_config(directory):
    with open(f"{labs.TOP}/control/example/patchbay.yaml") as example:
        text = example.read().replace("record_unavailable: take  ", "record_unavailable: refuse")
    expect("record_unavailable: refuse" in text, "the example has no record_unavailable")
    path = f"{directory}/patchbay.yaml"
    with open(path, "w") as out:
        out.write(text)
    return path


def test_a_pulled_volume_means_503_until_it_is_back(build):
    """Without a volume, calls that must be recorded are refused with 503; running calls go on; a volume that comes is used by itself."""
    with Mounts() as mounts:
        store = mounts.twice("store", "300m")
        with Lab(build, store=store, config=refusing_config(mounts.dir), engine_args=["--no-volume", "refuse", "--fresh-segments", "0"]) as lab:
            agent, caller, late = scene.agent(lab, 1001), scene.caller(lab), scene.caller(lab, "13900139000")
            call = scene.talk(lab, caller, agent)
            pull(lab, store)
            wait_until("the alarm", lambda: "no volume" in alarms(lab), 15)
            row = recorder(lab)
            expect(not row["recording"] and row["volumes"][0]["state"] == "failed", f"the recorder: {row}")
            expect("NO VOLUME" in lab.cli("status", check=False).stdout, "patchbay status does not tell")
            since = late.mark()
            late.command("dial", f"sip:{scene.HOTLINE}@{labs.SERVER}")
            closed = late.expect("CALL_CLOSED", 10, since)
            expect("503" in str(closed.get("param")), f"the caller met {closed}")
            refused = wait_until("its record", lambda: lab.control("cdr", number="13900139000")["records"], 5)[0]
            expect(refused["cause"] == "unrecordable", f"its record says {refused['cause']}")
            expect(scene.the_call(lab, "talking")["call"] == call, "the call that ran does not run any more")
            put_back(lab, store)
            wait_until("the alarm to end", lambda: "no volume" not in alarms(lab) and recorder(lab)["recording"], 30)
            caller.hangup()
            scene.record_of(lab, call)
            expect(recorder(lab)["frames_lost"] == 0, f"what memory could hold is lost: {recorder(lab)}")
            scene.no_calls(lab)
            late.dial(scene.HOTLINE)
            time.sleep(3)
            call = scene.the_call(lab)["call"]
            late.hangup()
            recording = scene.record_of(lab, call)["recordings"][0]
            scene.verified(lab, recording)
            (said, _), rate = sound.read(scene.export(lab, recording))
            expect(sound.tone_seconds(said, rate, CALLER_HZ) > 1.5, "the caller cannot be heard in it")


class UnwellLab(Lab):
    """Its engine has an alarm from the begin on."""

    def start_daemon(self, wait=True):
        super().start_daemon(wait=False)


def test_a_full_volume_gives_way_to_the_next(build):
    """No room for the next segment: the spare gets it, with an alarm; with room again the first one does, and the alarm ends."""
    with Mounts() as mounts:
        full, spare = mounts.tmpfs("full", "50m"), mounts.path("spare")
        with UnwellLab(build, store=full, engine_args=["--store", spare, "--fresh-segments", "0"]) as lab:
            wait_until("the alarm", lambda: recorder(lab)["volumes"][0]["state"] == "full", 10)
            row = recorder(lab)
            expect(row["recording"] and row["volumes"][1]["state"] == "works", f"the recorder: {row}")
            expect("full" in lab.cli("engine").stdout, "patchbay engine does not tell")
            labs.run("mount", "-o", "remount,size=400m", full)
            wait_until("the volume to work again", lambda: recorder(lab)["volumes"][0]["state"] == "works" and not recorder(lab)["alarm"], 20)


class Device(Mounts):
    """A file system on a device of device-mapper over a loop device, whose table can be exchanged under it."""

    def __enter__(self):
        if shutil.which("dmsetup") is None or labs.run("dmsetup", "version", check=False).returncode != 0:
            raise Skip("this kernel has no device-mapper")
        self.name = f"patchbay-{os.getpid()}"
        image = f"{self.dir}/image"
        with open(image, "wb") as out:
            out.truncate(1 << 30)
        self.loop = labs.run("losetup", "-f", "--show", image).stdout.strip()
        self.devices.append(("losetup", "-d", self.loop))
        self.sectors = (1 << 30) // 512
        labs.run("dmsetup", "create", self.name, "--table", f"0 {self.sectors} linear {self.loop} 0")
        self.devices.append(("dmsetup", "remove", "--force", self.name))
        labs.run("mkfs.ext4", "-q", f"/dev/mapper/{self.name}")
        self.store = self.path("store")
        labs.run("mount", f"/dev/mapper/{self.name}", self.store)
        self.mounted.append(self.store)
        return self

    def table(self, target):
        labs.run("dmsetup", "suspend", "--noflush", "--nolockfs", self.name)
        labs.run("dmsetup", "load", self.name, "--table", f"0 {self.sectors} {target}")
        labs.run("dmsetup", "resume", self.name)


def test_a_slow_device_loses_nothing(build):
    """dm-delay: every write takes 5 s for a while; no frame is lost."""
    with Device() as device, Lab(build, store=device.store) as lab:
        agent, caller = scene.agent(lab, 1001), scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        device.table(f"delay {device.loop} 0 5000")
        time.sleep(12)
        expect(recorder(lab)["lag_ms"] > 2000, f"nothing is late: {recorder(lab)}")
        device.table(f"linear {device.loop} 0")
        time.sleep(8)
        caller.hangup()
        expect(recorder(lab)["frames_lost"] == 0, f"frames are lost: {recorder(lab)}")
        scene.verified(lab, scene.record_of(lab, call)["recordings"][0])


def test_a_broken_device_is_left_and_returned_to(build):
    """dm-error: every write fails for a while; the spare takes over, and the device is used again when it works."""
    with Device() as device:
        spare = device.path("spare")
        with Lab(build, store=device.store, engine_args=["--store", spare]) as lab:
            agent, caller = scene.agent(lab, 1001), scene.caller(lab)
            call = scene.talk(lab, caller, agent)
            device.table("error")
            wait_until("the spare to be used", lambda: recorder(lab)["volumes"][1]["in_use"], 20)
            time.sleep(3)
            caller.hangup()
            expect(recorder(lab)["frames_lost"] == 0, f"frames are lost: {recorder(lab)}")
            scene.record_of(lab, call)


def test_dm_flakey_is_left_while_it_fails(build):
    """dm-flakey: 4 s well, 4 s failing, over and over: nothing is lost over a spare."""
    with Device() as device:
        spare = device.path("spare")
        with Lab(build, store=device.store, engine_args=["--store", spare]) as lab:
            agent, caller = scene.agent(lab, 1001), scene.caller(lab)
            device.table(f"flakey {device.loop} 0 4 4 1 error_writes")
            call = scene.talk(lab, caller, agent)
            time.sleep(20)
            caller.hangup()
            expect(recorder(lab)["frames_lost"] == 0, f"frames are lost: {recorder(lab)}")
            scene.record_of(lab, call)
