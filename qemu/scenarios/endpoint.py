"""The HTTP endpoint of a machine: memory, CPU and attestation of its services, from a process that sees none of it."""
import json

from lib.image import Image

kernels = ["6.1", "6.12"]

image = Image(config="""
version: 1
machine: {metrics: "127.0.0.1:9100"}
services:
  web:
    command: [/bin/probe, stay]
    limits: {cgroup: {memory_max: 16M}}
""")


def get(m, page: str) -> str:
    return m.ok(f"printf 'GET /{page} HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 9100").replace("\r", "").strip()


def run(m):
    m.wait_state("web", "up")
    m.eventually(lambda: get(m, "readyz").startswith("HTTP/1.1 200"), 10, "all is well")
    assert get(m, "livez").endswith("\nok"), get(m, "livez")
    head, _, body = get(m, "healthz").partition("\n\n")
    seen = json.loads(body)
    assert seen["status"] == "ok", seen
    assert {row["service"]: row["attested"] for row in seen["services"]}["web"] is True, seen
    metrics = get(m, "metrics")
    assert metrics.endswith("\n# EOF"), metrics[-200:]
    lines = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith("prior_service_"))
    assert 4096 <= int(lines['prior_service_memory_bytes{service="web"}']) <= 16 << 20, lines
    assert float(lines['prior_service_cpu_seconds_total{service="web"}']) > 0, lines
    pid = json.loads(m.ok("prior status --prior --json"))["endpoint_pid"]
    status = m.ok(f"cat /proc/{pid}/status")
    for line in ("Uid:\t65532\t65532\t65532\t65532", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status, status
    assert not m.ok(f"ls -A /proc/{pid}/root/").strip()
    for space in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
        assert m.ok(f"readlink /proc/{pid}/ns/{space}") != m.ok(f"readlink /proc/1/ns/{space}"), space
    assert "it runs without" not in m.ok("prior events")    # nothing is missing on a machine
    m.ok("prior reexec")
    assert get(m, "livez").endswith("\nok")
