"""What agents and their phones do: park and pick up, calls back by key, a remote agent on a mobile who confirms with a key."""
import csv
import tempfile
import time

import lab as labs
import scene
import sound
from lab import Lab, wait_until
from scene import AGENT_HZ, CALLER_HZ, SECOND_HZ
from test_adopt import kill_and_restart
from test_call import expect, heard_seconds

MOBILE = "013800000003"
MOBILE_IP = "10.77.0.51"  # the first phone of a laboratory


def config(build, path):
    """The example's, with a group, a trunk to the mobile, and an agent who may work there."""
    text = labs.run(f"{build}/patchbay", "example", "config").stdout
    for agent in ("1001", "1002"):
        text = text.replace(f'number: "{agent}", name: Agent {agent},', f'number: "{agent}", name: Agent {agent}, group: desk,')
    text = text.replace('number: "1003", name: Agent 1003,',
                        f'number: "1003", name: Agent 1003, remote: {{number: "{MOBILE}"}},')
    with open(path, "w") as out:
        out.write(f"{text}\ntrunks:\n  - {{name: carrier, host: {MOBILE_IP}, prefix: \"0\", options_s: 0}}\n")
    return path


def test_park_and_pick_up(build):
    """A transfer to the park code parks, another phone dials the place; a phone that rings is picked up by code."""
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(build, f"{home}/desk.yaml")) as lab:
        agent, other = scene.agent(lab, 1001), scene.agent(lab, 1002, hz=SECOND_HZ, ready=False)
        caller = scene.caller(lab)
        call = scene.talk(lab, caller, agent)
        time.sleep(2)
        since = agent.mark()
        agent.transfer("*68")
        agent.expect("CALL_CLOSED", 5, since)
        scene.the_call(lab, "parked", 5)
        place = lab.control("parked")["parked"][0]
        expect(place["slot"] == "701" and place["by"] == "1001" and place["call"] == call, f"parked: {place}")
        expect("701" in lab.cli("parked").stdout, "patchbay parked does not tell it")
        time.sleep(4)
        other.dial("701")
        scene.the_call(lab, "talking", 5)
        time.sleep(4)
        other.hangup()
        caller.expect("CALL_CLOSED", 5)
        other.expect("CALL_CLOSED", 5)
        (heard,), rate = sound.read(caller.heard())
        agent_spans, second_spans = sound.tone_spans(heard, rate, AGENT_HZ), sound.tone_spans(heard, rate, SECOND_HZ)
        expect(agent_spans and second_spans, f"the caller heard {agent_spans} and {second_spans}")
        music = heard[int((agent_spans[-1][1] + 0.5) * rate):int((second_spans[0][0] - 0.5) * rate)]
        expect(sound.voiced_seconds(music, rate) > 1, "no music in the parking place")
        expect(heard_seconds(other, CALLER_HZ) > 2, "who took the call does not hear the caller")
        record = scene.record_of(lab, call)
        steps = [s["step"] for s in record["steps"]]
        expect("park" in steps and "unpark" in steps, f"steps are {steps}")
        expect(record["agents"] == ["1001", "1002"], f"agents are {record['agents']}")

        # 1001's phone rings and 1002 takes the call.
        for state in ("sign_in", "not_ready"):
            lab.control("agent.set", agent="1002", state=state)
        lab.control("agent.set", agent="1001", state="ready")
        since = agent.mark()
        scene.through_the_menu(lab, caller, "1", 7)
        agent.expect("CALL_INCOMING", 15, since)
        since = agent.mark()
        other.dial("*66")
        agent.expect("CALL_CLOSED", 5, since)
        expect(scene.the_call(lab, "talking", 5)["agent"] == "1002", "another agent has the call")
        expect(scene.agent_row(lab, 1001)["missed"] == 0, "1001 is blamed for a call that was picked up")
        time.sleep(3)
        caller.hangup()
        other.expect("CALL_CLOSED", 5)
        scene.no_calls(lab)
        scene.fates_add_up(lab)


def test_remote_agent_confirms_with_a_key(build):
    """An agent on a mobile presses 1 and talks; a machine that picks up gets no caller, and the agent is not ready."""
    with tempfile.TemporaryDirectory() as home, Lab(build, config=config(build, f"{home}/desk.yaml")) as lab:
        mobile = lab.phone(MOBILE, sound=labs.tone(lab, AGENT_HZ), register=False)
        expect(mobile.ip == MOBILE_IP, f"the mobile is at {mobile.ip}")
        done = lab.cli("agent", "1003", "sign-in", "--at", "013811111111", check=False)
        expect(done.returncode == 1 and "may not choose" in done.stderr, f"another number: {done.stderr}")
        lab.cli("agent", "1003", "sign-in", "--at", "")
        lab.control("agent.set", agent="1003", state="ready")
        expect(scene.agent_row(lab, 1003)["remote"] == MOBILE, "the agent's number is not shown")
        caller = scene.caller(lab)
        since = mobile.mark()
        scene.through_the_menu(lab, caller, "1", 7)
        mobile.expect("CALL_INCOMING", 15, since)
        mobile.accept()
        time.sleep(2)
        expect(scene.the_call(lab)["state"] == "offering", "the caller was given away before the key")
        mobile.press("1")
        call = scene.the_call(lab, "talking", 5)["call"]
        time.sleep(4)
        mobile.hangup()
        caller.expect("CALL_CLOSED", 15)
        expect(heard_seconds(caller, AGENT_HZ) > 2, "the caller did not hear the mobile")
        record = scene.record_of(lab, call)
        expect(record["agent"] == "1003", f"agent is {record['agent']}")
        notes = [n["value"] for n in record["notes"] if n["key"] == "remote_agent"]
        expect(notes == [f"1003 at {MOBILE}"], f"notes are {record['notes']}")

        # The mailbox answers: no key, no caller.
        lab.control("agent.set", agent="1003", state="ready")
        since = mobile.mark()
        scene.through_the_menu(lab, caller, "1", 7)
        mobile.expect("CALL_INCOMING", 15, since)
        mobile.accept()
        wait_until("the agent to be not ready", lambda: scene.agent_row(lab, 1003)["state"] == "not_ready", 20)
        expect(scene.agent_row(lab, 1003)["reason"] == "no_answer", "the machine was taken for the agent")
        expect(scene.the_call(lab)["state"] == "waiting", "the caller lost its place")
        caller.hangup()
        scene.no_calls(lab)


def test_a_customer_is_called_back_by_key(build):
    """The agent dials with 1; the customer declines, the daemon is killed, and a second attempt is due all the same."""
    with tempfile.TemporaryDirectory() as home:
        path = config(build, f"{home}/desk.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as out:
            out.write(text.replace("callback_retry_s: 300", "callback_retry_s: 8", 1).replace("callback_dial_s: 0", "callback_dial_s: 30", 1))
        with Lab(build, config=path) as lab:
            customer = scene.caller(lab, MOBILE)
            agent = scene.agent(lab, 1001)

            def promised(state):
                def find():
                    rows = lab.control("callbacks")["callbacks"]
                    return rows[0] if len(rows) == 1 and rows[0]["state"] == state else None
                return wait_until(f"a call back in state {state}", find, 20)

            def attempt(since):
                agent.expect("CALL_INCOMING", 20, since)
                agent.accept()
                expect(promised("task")["agent"] == "1001", "another agent has the task")
                time.sleep(1)
                expect(not customer.seen("CALL_INCOMING", rung), "the customer's phone rang before the agent dialled")
                agent.press("1")
                customer.expect("CALL_INCOMING", 5, rung)

            since, rung = agent.mark(), customer.mark()
            expect("is called back by sales" in lab.cli("callback", "add", "sales", MOBILE).stdout, "callback add says otherwise")
            attempt(since)
            customer.hangup()
            row = promised("due")
            expect((row["tries"], row["tries_max"]) == (1, 3), f"it is {row}")
            expect(MOBILE in lab.cli("callbacks").stdout, "patchbay callbacks does not tell it")
            since, rung = agent.mark(), customer.mark()
            kill_and_restart(lab)
            again = promised("due")
            expect(again["due_ms"] == row["due_ms"] and again["tries"] == 1, f"after the restart it is {again}, was {row}")
            lab.control("agent.set", agent="1001", state="ready")
            attempt(since)
            customer.accept()
            call = scene.the_call(lab, "talking", kind="callback")["call"]
            time.sleep(3)
            agent.hangup()
            scene.no_calls(lab)
            expect(scene.record_of(lab, call)["cause"] == "normal", "the record tells another end")
            for phone, who, hz in ((customer, "customer", AGENT_HZ), (agent, "agent", CALLER_HZ)):
                expect(heard_seconds(phone, hz) > 2, f"the {who} does not hear the other")
            now = int(time.time() * 1000)
            rows = lab.control("report", of="agents", from_ms=now - 600000, to_ms=now + 1000, interval="all", rank="calls_back_per_hour")["rows"]
            best = rows[0]
            expect(best["agent"] == "1001" and best["rank"] == 1 and (best["calls_back"], best["reached"]) == (2, 1), f"the report: {rows}")
            expect(2000 < best["dial_ms"] < 8000, f"it took {best['dial_ms']} ms to dial")


def test_something_is_looked_up(build):
    """Articles written from files are found misspelt, begun and by synonyms; what was looked for in vain, and who wrote, is kept."""
    with tempfile.TemporaryDirectory() as home:
        path = config(build, f"{home}/desk.yaml")
        with open(path, "a") as out:
            out.write("knowledge: {synonyms: [[luggage, baggage]]}\n")
        articles = {"refunds.md": "# Refund policy\nKeywords: money back, 退票\n\nTickets.\nA refund takes 14 days.\n",
                    "luggage.md": "# Lost luggage\n\nAsk the station.\t\n", "latin1.txt": "# Caf\xe9\n"}
        for name, text in articles.items():
            with open(f"{home}/{name}", "w", encoding="latin-1" if name == "latin1.txt" else "utf-8") as file:
                file.write(text)
        with Lab(build, config=path) as lab:
            done = lab.cli("article", "put", f"{home}/refunds.md", f"{home}/luggage.md")
            expect(done.stdout == "article refunds is added\narticle luggage is added\n", f"put: {done.stdout}")
            done = lab.cli("article", "put", f"{home}/latin1.txt", check=False)
            expect(done.returncode == 1 and "not UTF-8" in done.stderr, f"latin-1: {done.stderr}")
            for asked, first in (("refnud polcy", "Refund policy"), ("refu", "Refund policy"), ("退票", "Refund policy"), ("my baggage", "Lost luggage")):
                found = lab.cli("knowledge", *asked.split(), "--who", "1001").stdout
                expect(found.startswith(first), f"{asked}: {found}")
            expect("A refund takes 14 days." in lab.cli("knowledge", "refund", "days").stdout, "no excerpt")
            expect(lab.cli("knowledge", "zebra").stdout == "nothing is found\n", "a zebra")
            shown = lab.cli("article", "show", "refunds").stdout
            expect(shown == "# Refund policy\nKeywords: money back, 退票\n\nTickets.\nA refund takes 14 days.\n", f"show: {shown!r}")
            time.sleep(0.5)
            vain = lab.cli("article", "searches", "--in-vain").stdout
            expect("zebra" in vain and "refnud" not in vain, f"in vain: {vain}")
            print(lab.cli("article", "searches").stdout)
            acts = lab.cli("audit").stdout
            expect(acts.count("knowledge.write") == 2 and "root" in acts, f"audit: {acts}")
            print(acts)


def test_who_calls_is_shown(build):
    """10,000 customers with 100 bad rows are imported and exported; when one calls, the agent's screen is told at once."""
    numbers = 'numbers: {country: "86", area: "10", national_prefix: "0", international_prefix: "00", local_digits: 8}\n'
    with tempfile.TemporaryDirectory() as home:
        path = config(build, f"{home}/desk.yaml")
        with open(path, "a") as out:
            out.write(numbers)
        with open(f"{home}/people.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["Nr", "Kunde", "Telefon", "city"])
            for i in range(10000):
                rows.writerow([f"k{i}", f"Customer {i}", "nobody knows" if i % 100 == 7 else f"(0)138{i:08d}", "Bei,jing" if i % 2 else "Tianjin"])
        with Lab(build, config=path) as lab:
            began = time.monotonic()
            done = lab.cli("customer", "import", f"{home}/people.csv", "--map", "customer=Nr,name=Kunde,number=Telefon",
                           "--errors", f"{home}/bad.csv", check=False)
            expect(done.returncode == 1 and "9900 added, 0 updated, 100 refused" in done.stdout, f"import: {done.stdout} {done.stderr}")
            print(f"10,000 rows in {time.monotonic() - began:.1f} s")
            with open(f"{home}/bad.csv", newline="") as file:
                bad = list(csv.reader(file))
            expect(len(bad) == 100 and bad[0] == ["k7", "Customer 7", "nobody knows", "Bei,jing",
                                                  '"nobody knows" is no telephone number'], f"refused: {bad[:2]}")
            exported = list(csv.DictReader(lab.cli("customer", "export", "--field", "city=Bei,jing").stdout.splitlines()))
            expect(len(exported) == 4900 and all(r["city"] == "Bei,jing" for r in exported), f"exported: {len(exported)}")
            with open(f"{home}/all.csv", "w", newline="") as out:
                out.write(lab.cli("customer", "export").stdout)
            done = lab.cli("customer", "import", f"{home}/all.csv")
            expect("0 added, 9900 updated, 0 refused" in done.stdout, f"the export is not read again: {done.stdout}")
            expect("Customer 4242" in lab.cli("customers", "--number", "0138 0000 4242").stdout, "not found by its number")

            agent = scene.agent(lab, 1001)
            events = lab.spawn(lab.server_ns, lab.cli_command("events", "--type", "pop", "--json", "--seconds", "40")[4:], "events")
            caller = scene.caller(lab, "13800004242")
            scene.talk(lab, caller, agent)
            rang = agent.seen("CALL_INCOMING")[-1]["at"]
            caller.hangup()
            lab.stop(events)
            text = open(events.log).read()
            expect('"Customer 4242"' in text and '"agent": "1001"' in text.replace('":"', '": "'), f"events: {text[:500]}")
            print(f"rang at {rang}, {text[:120]}")
            scene.no_calls(lab)
