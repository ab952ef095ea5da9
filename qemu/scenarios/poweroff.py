"""poweroff stops every service with its signal, in reverse order, and ends in an orderly way."""
from lib.image import Image

kernels = ["6.1", "6.12"]

SAYS = "trap 'echo NAME is told >/dev/console; exit' TERM; touch /run/NAME.set; while :; do sleep 1 & wait; done"

image = Image(config=f"""
version: 1
services:
  base:
    command: [/bin/busybox, sh, -c, "{SAYS.replace('NAME', 'base')}"]
    isolation: {{preset: none}}
  top:
    command: [/bin/busybox, sh, -c, "{SAYS.replace('NAME', 'top')}"]
    isolation: {{preset: none}}
    depends_on: [base]
""")


def run(m):
    m.wait_state("top", "up")
    m.eventually(lambda: m.sh("test -e /run/base.set -a -e /run/top.set")[0] == 0, 30, "the traps are set")
    m.ends("poweroff", "/sbin/poweroff")
    assert m.console.index("top is told") < m.console.index("base is told")
