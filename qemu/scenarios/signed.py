"""A configuration that the boot loader brings holds when the key of prior.trust= has signed it, and never otherwise."""
from lib import root as roots
from lib.image import Image
from lib.machine import Hardware
from lib.root import tool

kernels = ["6.12"]
libcs = ["glibc"]
limit = 180

PLACE = "/etc/prior/prior.yaml"
SIGNATURE = PLACE + ".minisig"
KEY = "/etc/boot.pub"
hardware = Hardware(append="prior.trust=" + KEY)

SERVICES = """
machine: {hostname: in-the-root}
services:
  web: {command: [/bin/probe, stay]}
"""

root = Image(config=SERVICES)
# What would be in a signed kernel image. Of its configuration nothing is left: a later archive's file is over it.
image = Image(tools=False, modules=["virtio_blk", "virtio_pci", "erofs", "dm_verity"], config="machine: {rtc: local}\n")
keys = {}       # public ones, by name
renamed = {}    # the same file's, signed under another name


def key(at, name):
    secret, public = at.folder / f"{name}.sec", at.folder / f"{name}.pub"
    tool("minisign", "-G", "-f", "-W", "-s", secret, "-p", public)
    keys[name] = public.read_text()
    return secret


def signed(at, secret, text, name="prior.yaml"):
    file = at.folder / name
    file.write_text(text)
    tool("minisign", "-S", "-s", secret, "-m", file)
    return file.with_name(name + ".minisig").read_text()


def disks(at):
    secret = key(at, "ours")
    key(at, "other")
    tree = root.tree(at.kernel, at.prior)
    for name in (PLACE, "/etc/prior/services.d/agent.yaml"):    # the command line is the same for prior in the root
        tree.put(name + ".minisig", signed(at, secret, tree.entries[name[1:]].data.decode()))
    tree.put(KEY, keys["ours"])
    made = roots.build(tree, "erofs", at.folder / "root.img")
    text = f"machine: {{root: {{device: /dev/vda, type: erofs, verity: {made.hash}}}}}\n"
    image.files = {KEY: keys["ours"]}
    image.appended = {PLACE: text, SIGNATURE: signed(at, secret, text)}
    renamed[SIGNATURE] = signed(at, secret, text, "lab.yaml")
    return [made.file]


def refused(m, why, key, appended, place=PLACE):
    image.appended = appended
    word = keys[key].split("\n")[1]
    append = f"prior.trust={word} prior.emergency=poweroff" + (f" prior.config={place}" if place != PLACE else "")
    with m.boot_again(append=append, ready=False) as other:
        other.on_console(f"emergency: switching off: {place}: {why}", 60)
        other.ends("poweroff", seconds=30)


def run(m):
    m.wait_ready()
    m.wait_state("web", "up", seconds=30)
    assert m.ok("hostname").strip() == "in-the-root"
    m.ok("prior check")
    # Where the key comes from, a reload sees it, too; and what it does not take changes nothing.
    m.ok("mkdir /run/etc && cp -r /etc/prior/. /run/etc && mount --bind /run/etc /etc/prior")
    m.ok("echo '#' >>/etc/prior/prior.yaml")
    assert "prior.yaml: has been changed since the key" in m.fails("prior reload-config")
    m.wait_state("web", "up")
    m.ends("poweroff", "poweroff")
    good = image.appended
    refused(m, "has been changed since the key", "ours", {**good, PLACE: good[PLACE].replace("vda", "vdb")})
    refused(m, "is not signed: there is no " + SIGNATURE, "ours", {PLACE: good[PLACE]})
    refused(m, "is signed by the key", "other", good)
    refused(m, "its signature is for a file of another name", "ours", {**good, **renamed})
    refused(m, "No such file", "ours", good, "/nowhere")


run.ready = False
