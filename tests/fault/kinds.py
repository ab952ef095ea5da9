# No kind of message is forgotten: those that the sources name, those that were sent, and those that were refused.
# SPDX-License-Identifier: ISC
import glob
import mmap
import re

COUNT = 256     # rtnetlink's; as many again of nf_tables'
sent, refused = mmap.mmap(-1, 2 * COUNT), mmap.mmap(-1, 2 * COUNT)    # by all tests, each of which is a process


def note(at):
    """What tests/fault/net.c has written down of one test."""
    for i in range(2 * COUNT):
        sent[i] |= at[i]
        refused[i] |= at[2 * COUNT + i]


def numbers(header, start):
    """{name: number} of the enum that begins with that name."""
    with open(f"/usr/include/linux/{header}") as f:
        text = re.sub(r"/\*.*?\*/|^#.*?$", "", f.read(), flags=re.S | re.M)
    found, n = {}, 0
    for name, value in re.findall(r"(\w+)\s*(?:=\s*(\d+))?\s*,", text[text.index(start):].split("}", 1)[0]):
        found[name] = n = int(value) if value else n
        n += 1
    return found


def one():
    title = "fault: netlink: every kind of message that the sources name is sent, and refused once"
    if not any(sent[:]):
        return [("skip", title, "none was sent")]
    try:
        kinds = numbers("rtnetlink.h", "RTM_NEWLINK")
        kinds.update((k, v + COUNT) for k, v in numbers("netfilter/nf_tables.h", "NFT_MSG_NEWTABLE").items())
    except (OSError, ValueError) as e:
        return [("skip", title, f"the kernel's headers: {e}")]
    named = set()
    for path in glob.glob("netns/*.c"):
        with open(path) as f:
            text = re.sub(r"[!=]= \w+", "", f.read())   # what is only received
            named |= set(re.findall(r"\b(?:RTM|NFT_MSG)_(?:NEW|DEL|GET|SET)[A-Z]+\b", text))
    bad = [name for name in sorted(named) if not refused[kinds[name]]]
    bad += [name for name, i in kinds.items() if sent[i] and not refused[i] and name not in bad]
    bad += [str(i) for i in range(2 * COUNT) if sent[i] and i not in kinds.values()]
    return [("not ok", title, "not refused: " + ", ".join(bad))] if bad else [("ok", f"{title} ({len(named)})", "")]
