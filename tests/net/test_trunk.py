"""Trunks as carriers speak them: registration, and responses that must arrive (RFC 3262)."""
import os
import tempfile
import time

import lab as labs
import scene
from lab import Lab, wait_until
from scene import sipp
from test_call import expect

CARRIER = 40


def config(path, trunk):
    with open(os.path.join(labs.TOP, "control/example/patchbay.yaml")) as example:
        text = example.read()
    with open(path, "w") as out:
        out.write(f"{text}\ntrunks:\n  - {{{trunk}}}\n")
    return path


def trunk_of(lab):
    return lab.control("trunks")["trunks"][0]


def test_registration_with_a_carrier(build):
    """We register with digest, refresh in time, come back after a 503, and say goodbye at the end."""
    trunk = f'name: carrier, host: 10.77.0.{CARRIER}, user: line1, password: secret, register: true, register_s: 600'
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/trunk.yaml", trunk)) as lab:
        carrier = sipp(lab, "carrier_register", "carrier", lab.address(CARRIER), "-m", "1")
        wait_until("the trunk to be up", lambda: trunk_of(lab)["state"] == "up", 20)
        row = trunk_of(lab)
        expect(row["registered_s"] <= 10 and row["address"] == f"10.77.0.{CARRIER}", f"the trunk is {row}")
        expect("up, registered for" in lab.cli("trunks").stdout, "patchbay trunks tells no registration")
        expect(lab.control("status")["trunks"] == {"total": 1, "up": 1, "down": 0}, "status counts the trunks otherwise")
        wait_until("an hour to be granted", lambda: trunk_of(lab)["registered_s"] > 3000, 20)
        row = trunk_of(lab)
        expect(row["registrations"] == 2 and row["register_failures"] == 1 and row["state"] == "up", f"the trunk is {row}")
        lab.stop(lab.daemon)
        wait_until("the carrier to be told goodbye", lambda: carrier.poll() is not None, 10)
        expect(carrier.returncode == 0, f"the carrier heard otherwise: {lab.tail(carrier.log)}")


def test_a_trunk_that_is_dead_is_told(build):
    """Nobody answers OPTIONS: the trunk is down, an alarm says so, and the exit code of the command."""
    trunk = f'name: silent, host: 10.77.0.{CARRIER + 1}, options_s: 1'
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/trunk.yaml", trunk)) as lab:
        wait_until("the trunk to be down", lambda: trunk_of(lab)["state"] == "down", 45)
        expect(any(a["area"] == "trunk silent" for a in lab.control("status")["alarms"]), "no alarm tells of the trunk")
        done = lab.cli("trunks", check=False)
        expect(done.returncode == 1 and "DOWN: " in done.stdout, f"patchbay trunks: {done.returncode} {done.stdout}")


def test_reliable_responses_both_ways(build):
    """A phone that requires 100rel calls out by a carrier that requires it: each 18x is confirmed, early media come through."""
    trunk = f'name: carrier, host: 10.77.0.{CARRIER}, prefix: "9"'
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(f"{home}/trunk.yaml", trunk)) as lab:
        carrier = sipp(lab, "rel_carrier", "carrier", lab.address(CARRIER), "-m", "3")
        caller = sipp(lab, "rel_caller", "caller", lab.address(CARRIER + 2), "-s", "95512", "-m", "3", "-r", "1")
        for who, name in ((caller, "phone"), (carrier, "carrier")):
            wait_until(f"the {name} to be done", lambda: who.poll() is not None, 30)
            expect(who.returncode == 0, f"the {name} says: {lab.tail(who.log)}")
        scene.no_calls(lab)
        time.sleep(0.2)
        records = lab.control("cdr")["records"]
        expect(len(records) == 3 and all(r["kind"] == "out" and r["cause"] == "normal" for r in records), f"the records are {records}")
