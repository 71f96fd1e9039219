"""What managers read after real calls: reports, logs, backups; and a supervisor who takes a call over."""
import json
import sqlite3
import time

import lab as labs
import scene
import sound
from lab import Lab, wait_until
from scene import AGENT_HZ, CALLER_HZ, SUPERVISOR_HZ
from test_call import expect, heard_seconds


def report(lab, of, *words):
    return json.loads(lab.cli("report", of, *words, "--from", "1h", "--json").stdout)["rows"]


def test_reports_tell_of_the_calls(build):
    """One call is served, one is given up in the queue: reports, the agent's log and a backup agree with the records."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent, keys="1", menu_s=7)
        time.sleep(3)
        agent.hold()
        scene.the_call(lab, "held", 5)
        time.sleep(2)
        agent.resume()
        scene.the_call(lab, "talking", 5)
        backup = f"{lab.dir}/backup.db"
        lab.cli("backup", backup)
        with sqlite3.connect(backup) as db:
            expect(db.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the backup is damaged")
            expect(db.execute("SELECT count(*) FROM calls WHERE call = ?", (call,)).fetchone()[0] == 1, "the call is not in the backup")
        agent.hangup()
        caller.expect("CALL_CLOSED", 5)
        served = scene.record_of(lab, call)
        lab.cli("agents", "set", "1001", "not-ready", "lunch")
        caller = scene.caller(lab)
        scene.through_the_menu(lab, caller, "1", 7)
        lost = scene.the_call(lab, "waiting")["call"]
        time.sleep(7)
        caller.hangup()
        lost = scene.record_of(lab, lost)

        row = next(r for r in report(lab, "queues") if r["queue"] == "sales")
        expect((row["offered"], row["answered"], row["abandoned_long"], row["abandoned_short"]) == (2, 1, 1, 0), f"queue: {row}")
        for column in ("talk_ms", "hold_ms"):
            expect(abs(row[column] - served[column]) <= 5, f"{column} is {row[column]}, the record says {served[column]}")
        expect(abs(row["answer_wait_ms"] - served["wait_ms"]) <= 5, f"waited {row['answer_wait_ms']}, the record says {served['wait_ms']}")
        expect(abs(row["abandon_wait_ms"] - lost["wait_ms"]) <= 5, f"waited {row['abandon_wait_ms']}, the record says {lost['wait_ms']}")
        expect(row["answer_rate"] == 0.5 and row["service_level"] == 0.5, f"shares of {row}")
        row = next(r for r in report(lab, "agents", "1001"))
        expect(row["answered"] == 1 and row["hold_ms"] > 1500 and "lunch" in row["not_ready"], f"agent: {row}")
        parts = sum(row[c] for c in ("ready_ms", "not_ready_ms", "ringing_ms", "talking_ms", "wrap_up_ms", "other_ms"))
        expect(parts == row["signed_in_ms"], f"the states of 1001 add up to {parts} of {row['signed_in_ms']} ms")
        row = next(r for r in report(lab, "flows"))
        expect((row["callers"], row["queued"], row["contained"]) == (2, 2, 0), f"flow: {row}")
        states = json.loads(lab.cli("agent", "log", "1001", "--json").stdout)["states"]
        expect(states[0]["reason"] == "lunch" and states[0]["until_ms"] is None, f"newest state: {states[0]}")
        for newer, older in zip(states, states[1:]):
            expect(older["until_ms"] == newer["from_ms"], f"a hole in the log between {older} and {newer}")
        expect(any(s["call"] == call and s["state"] == "talking" for s in states), "no state of the log names the call")
        expect(lab.cli("report", "queues", "--csv").stdout.startswith("from_ms,to_ms,queue,offered"), "no CSV")


def test_a_supervisor_takes_over(build):
    """After the takeover the customer hears the supervisor and the agent is gone, into wrap-up."""
    with Lab(build) as lab:
        agent = scene.agent(lab, 1001)
        supervisor = lab.phone(2001, sound=labs.tone(lab, SUPERVISOR_HZ), password="patchbay-2001", answer="auto")
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(3)
        lab.cli("takeover", call, "--by", "2001")
        supervisor.expect("CALL_ESTABLISHED", 10)
        agent.expect("CALL_CLOSED", 5)
        time.sleep(4)
        expect(scene.the_call(lab)["agent"] == "2001", "the call is not the supervisor's")
        expect(scene.agent_row(lab, 1001)["state"] == "wrap_up", "the agent is not in wrap-up")
        supervisor.hangup()
        wait_until("the caller to be let go", lambda: scene.record_of(lab, call), 15)
        record = scene.record_of(lab, call)
        expect(record["agents"] == ["1001", "2001"], f"agents of the record: {record['agents']}")
        expect(heard_seconds(caller, SUPERVISOR_HZ) > 3, "the caller did not hear the supervisor")
        expect(heard_seconds(supervisor, CALLER_HZ) > 3, "the supervisor did not hear the caller")
        expect(heard_seconds(supervisor, AGENT_HZ) == 0, "the supervisor heard the agent, who was gone")
        (_, heard), rate = sound.read(scene.export(lab, record["recordings"][0]))
        expect(sound.tone_seconds(heard, rate, AGENT_HZ) > 2 and sound.tone_seconds(heard, rate, SUPERVISOR_HZ) > 3,
               "the recording does not hold both")
