"""prior logs: the last lines, following, as JSON; a burst is not lost, and survives the logger's end."""
import json

from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
services:
  burst: {command: [/bin/probe, lines, "3000"]}
  user:
    command: [/bin/busybox, sh, -c, 'echo one >/dev/stdout; echo two >>/dev/stderr; cat </dev/stdout; sleep 9999']
    user: "1234"
  evil:
    command: [/bin/busybox, sh, -c, 'printf "\\033]0;owned\\007\\n<3>bad \\342\\200\\256x\\n99 o forged\\n"; sleep 9999']
    isolation: {preset: none}
  ticker:
    command: [/bin/busybox, sh, -c, 'while :; do echo tick; sleep 0.2; done']
""")


def run(m):
    m.wait_state("burst", "up")
    m.eventually(lambda: "staying" in m.ok("prior logs -n 1 burst"), 10, "all of the burst is written")
    lines = m.ok("prior logs burst").splitlines()
    numbers = [int(line.split()[-1]) for line in lines if " ".join(line.split()[-2:-1]) == "line"]
    assert numbers == list(range(1, 3001)), (len(numbers), numbers[:3], numbers[-3:])
    last = m.ok("prior logs -n 3 burst").splitlines()
    assert len(last) == 3 and last[0].endswith("line 2999"), last
    rows = [json.loads(line) for line in m.ok("prior logs --json -n 2 burst").splitlines()]
    assert len(rows) == 2 and all(row["service"] == "burst" for row in rows), rows
    # A service opens /dev/stdout by its name, whoever it is; but reads nothing there.
    m.eventually(lambda: "denied" in m.ok("prior logs user"), 10, "a service cannot read its own log pipe")
    assert m.ok("prior logs user").splitlines()[:2] == ["one", "two"], m.ok("prior logs user")
    m.says("prior logs evil", "99 o forged")
    # What a terminal would obey does not reach it.
    text = m.ok("prior logs evil; prior status evil")
    assert "\033]" not in text and "\\x1b]0;owned\\x07" in text and "\u202e" not in text, text
    rows = [json.loads(line) for line in m.ok("prior logs evil --json").splitlines()]
    assert rows[1]["level"] == "error" and rows[1]["msg"].endswith("\u202ex"), rows
    assert rows[2]["msg"] == "99 o forged" and not rows[2]["time"].startswith("1970"), rows
    m.start("prior logs -f -n 0 ticker >/run/follow")
    m.eventually(lambda: m.sh("grep -c tick /run/follow")[1].strip() not in ("", "0", "1"), 10, "logs -f follows")
    logger = m.json("prior status --prior --json")["logger_pid"]
    before = m.ok("prior logs ticker").count("tick")
    m.ok(f"kill -9 {logger}")
    m.eventually(lambda: m.ok("prior logs ticker").count("tick") > before + 3, 10, "another logger goes on")
    assert m.json("prior status --prior --json")["logger_pid"] not in (0, logger)
    assert m.ok("prior logs burst").count("line ") == 3000      # what was written is there
    m.fails("prior logs no-such-service", 4)
