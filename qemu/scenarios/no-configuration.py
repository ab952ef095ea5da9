"""A configuration that cannot be used, or is not there: said, and the machine stays up and can be switched off."""
from lib.image import Image

kernels = ["6.1"]
limit = 120

image = Image(config="services: [\n", tools=False)

CASES = {
    "malformed": ("services: [\n", "", "/etc/prior/prior.yaml:2:1: error"),
    "absent": ("services: {}\n", "prior.config=/etc/other.yaml", "/etc/other.yaml: No such file"),
}


def run(m):
    for name, (config, append, said) in CASES.items():
        with m.boot_again(config=config, append=append) as again:
            again.machine.console.wait(said, 30)
            again.machine.console.wait("going on without services", 30)
            again.machine.console.wait("network", 30)
            assert again.machine.wait_end(2) is None, f"{name}: the machine has ended: {again.machine.ending()}"
            assert "Kernel panic" not in again.console, name


run.ready = False
