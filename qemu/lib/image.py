"""An image: the initramfs that one short description stands for."""
import copy
from pathlib import Path

from . import cpio, guest, paths
from .kernels import Kernel
from .modules import Modules
from .tree import Tree

# What the one binary is also called; see prior(8).
LINKS = ("init", "poweroff", "reboot", "halt", "shutdown", "telinit")

# What a bridge with its rules takes in Debian's kernels; prior loads them by itself.
BRIDGE = ("bridge", "veth", "nf_tables", "nft_meta_bridge", "nft_ct", "nft_chain_nat", "nft_nat", "nft_masq",
          "nft_fib_inet", "nf_conntrack_bridge")

AGENT_SERVICE = """\
services:
  agent:
    command: [/bin/busybox, sh, /agent]
    restart: always
    isolation: {preset: none}
"""


class Image:
    """What a machine boots. Only `prior` and what is named here is in it.

    config: the text of /etc/prior/prior.yaml, or a host folder that becomes /etc/prior.
    services: file name -> text, for /etc/prior/services.d.
    files: path -> text, bytes, a host Path, or a cpio.Entry.
    modules: names; what they depend on comes along. packed: all of them compressed.
    cells: name -> Cell, placed at /srv/cells/NAME.
    own: a Cell whose files are the machine's own.
    kernel: the kernel itself is at /boot/vmlinuz, and an initrd with all the rest at /boot/initrd.
    appended: path -> text of a second archive behind the first, as boot loaders bring it.
    tools: busybox, our small test program (probe) and the agent on the second serial port: for tests.
    """

    def __init__(self, config="", services=None, files=None, modules=(), cells=None, tools=True, compress=False,
                 kernel=False, own=None, packed=False, appended=None):
        self.config = config
        self.services = services or {}
        self.files = files or {}
        self.modules = modules
        self.cells = cells or {}
        self.tools = tools
        self.compress = compress
        self.kernel = kernel
        self.own = own
        self.packed = packed
        self.appended = appended

    def with_changes(self, files=None, config=None) -> "Image":
        """The same image with some files more, or another configuration."""
        changed = copy.copy(self)
        changed.files = {**self.files, **(files or {})}
        changed.config = self.config if config is None else config
        return changed

    def tree(self, kernel: Kernel, prior: Path) -> Tree:
        tree = Tree()
        tree.put("/dev/console", cpio.character(5, 1))
        self._program(tree, prior)
        self._configuration(tree)
        self._modules(tree, kernel)
        if self.own:
            self.own.place(tree, "")
        for name, cell in self.cells.items():
            cell.place(tree, f"/srv/cells/{name}")
        if self.tools:
            _tools(tree)
        tree.put_all(self.files)
        return tree

    def build(self, to: Path, kernel: Kernel, prior: Path) -> Path:
        tree = self.tree(kernel, prior)
        if self.kernel:
            tree.put("/boot/initrd", tree.write(to.with_name(to.name + ".inner"), self.compress))
            tree.put("/boot/vmlinuz", kernel.vmlinuz)
        tree.write(to, self.compress)
        if self.appended:
            second = Tree()
            second.put_all(self.appended)
            with open(to, "ab") as f:
                f.write(second.write(to.with_name(to.name + ".second")).read_bytes())
        return to

    def _program(self, tree: Tree, prior: Path) -> None:
        tree.put("/sbin/prior", cpio.regular(prior.read_bytes(), 0o755))
        tree.put("/init", cpio.symlink("sbin/prior"))
        for name in LINKS:
            tree.put(f"/sbin/{name}", cpio.symlink("prior"))

    def _configuration(self, tree: Tree) -> None:
        if isinstance(self.config, Path):
            tree.folder("/etc/prior", self.config)
        else:
            tree.put("/etc/prior/prior.yaml", self.config)
        for name, text in self.services.items():
            tree.put(f"/etc/prior/services.d/{name}", text)

    def _modules(self, tree: Tree, kernel: Kernel) -> None:
        if self.modules:
            for place, what in Modules(kernel, self.modules, self.packed).files.items():
                tree.put(f"/lib/modules/{kernel.release}/{place}", what)


def _tools(tree: Tree) -> None:
    tree.put("/bin/busybox", guest.busybox())
    for name in guest.applets() - {"busybox", *LINKS}:
        tree.put(f"/bin/{name}", cpio.symlink("busybox"))
    tree.put("/bin/probe", guest.probe())
    tree.put("/agent", paths.QEMU / "agent")
    tree.put("/etc/prior/services.d/agent.yaml", AGENT_SERVICE)
