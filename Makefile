# The build of prior: one Makefile for everything; `make help` lists what it can do.
# SPDX-License-Identifier: ISC

## BUILD=build: where everything is made
BUILD ?= build
## LIBC=glibc: or musl, whose libraries are built from Debian's source packages first
LIBC ?= glibc
## ARCH=arm64: built by Debian's cross compiler, with libraries fetched for it (LIBC=glibc); not given: this machine's
ARCH ?=
## CFLAGS=-O2 -g (musl: -Os -g): optimisation and debugging; the hardening flags are added to it
CFLAGS ?= $(if $(filter musl,$(LIBC)),-Os,-O2) -g
## WERROR=1: warnings are errors (as with CI=true)
WERROR ?=
## DESTDIR=, PREFIX=/usr/local, SBINDIR=$(PREFIX)/sbin: where `make install` puts things
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
## V=1: show the commands
Q := $(if $(V),,@)

export UBSAN_OPTIONS := print_stacktrace=1
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:

O := $(BUILD)/$(LIBC)$(ARCH:%=-%)
SAN := $(BUILD)/san
GEN := $(BUILD)/gen
RESULTS := $(BUILD)/results
comma := ,
CROSS :=
ifneq ($(ARCH),)
ifneq ($(ARCH)-$(LIBC),arm64-glibc)
$(error ARCH is arm64, and LIBC glibc then, not '$(ARCH)' and '$(LIBC)'; for this machine's own say nothing)
endif
CROSS := aarch64-linux-gnu-
endif
ifeq ($(origin CC),default)
CC := $(CROSS)gcc
endif

# Sources are what lies in the folders. A test is a program of its own, everything but main.c is its library.
SRC := $(filter-out init/run/only.c init/run/bare/%,$(sort $(shell find init services netns rootfs -name '*.c')))
OBJ := $(SRC:%.c=$(O)/%.o) $(O)/gen/presets.o
# What the processes that stay run all the time lies together, with the C library behind it: the kernel maps 64 KiB at
# once, so few of them are in use at rest. Last comes what a turn of PID 1 goes through when nothing is to be done.
TURN := $(wildcard init/loop/*.c) init/serve.c init/signals.c $(patsubst %,services/supervise/%.c,\
	ending instances ledger reap reload server spawning streams)
RESIDENT := $(filter-out $(TURN),$(filter services/supervise/%,$(SRC)) $(filter init/base/% services/logs/%,$(SRC))) $(TURN)
LINKED = $(filter-out $(RESIDENT:%.c=$(O)/%.o),$(OBJ)) $(LIBS) $(RESIDENT:%.c=$(O)/%.o)
HELPERS := $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/cells/*.c tests/fault/*.c)))
PRESETS := $(sort $(wildcard configs/presets/*.yaml))
UNIT := $(patsubst tests/unit/%.c,$(SAN)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_HELP := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))
SAN_OBJ := $(patsubst %.c,$(SAN)/%.o,$(filter-out init/main.c,$(SRC)) $(UNIT_HELP)) $(SAN)/gen/presets.o

WARN := -Wall -Wextra -Wshadow -Wvla -Walloca -Wmissing-prototypes -Wimplicit-fallthrough \
	$(if $(filter true 1,$(CI) $(WERROR)),-Werror)
MAP := -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build
COMMON = -std=gnu11 $(WARN) $(MAP) -I. -I$(GEN) -D_GNU_SOURCE
HARD := -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections
LINK := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections -Wl,-T,$(O)/tables.ld
LIBS := -lyaml -lseccomp -lcap -lnl-route-3 -lnl-3 -lsodium

ifeq ($(LIBC),musl)
# musl-gcc -static-pie makes a dynamic program without a word, so the start files are named here.
NEEDS := build musl
MUSL := $(BUILD)/musl-libs
ifeq ($(CC),gcc)
CC := musl-gcc
endif
START := /usr/lib/$(shell gcc -dumpmachine | sed 's/gnu$$/musl/')
LIBC_FLAGS := -isystem $(MUSL)/kernel -isystem $(MUSL)/include -isystem $(MUSL)/include/libnl3
LINK += -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text -L$(MUSL)/lib
BEGIN := $(START)/rcrt1.o $(START)/crti.o
END := $(START)/crtn.o
LIBS_BUILT := $(MUSL)/built
else ifeq ($(LIBC),glibc)
NEEDS := build
LIBC_FLAGS := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
ifeq ($(ARCH),)
LIBC_FLAGS += -isystem /usr/include/libnl3
else
NEEDS := $(ARCH)
CROSS_LIBS := $(BUILD)/$(ARCH)-libs
LIBC_FLAGS += -isystem $(CROSS_LIBS)/include -isystem $(CROSS_LIBS)/include/libnl3
LINK += -L$(CROSS_LIBS)/lib
LIBS_BUILT := $(CROSS_LIBS)/built
endif
# glibc warns about each use of the name service in a static program: init/base/nonss.c says why there is none.
LINK += -static-pie -Wl,--fatal-warnings
# The linker of Debian 12 packs relocations for x86 only, and warns elsewhere.
LINK += $(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),-Wl$(comma)-z$(comma)pack-relative-relocs)
else
$(error LIBC is glibc or musl, not '$(LIBC)')
endif
COMPILE = $(CC) $(COMMON) $(LIBC_FLAGS) $(CFLAGS) $(HARD)
SAN_FLAGS := -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_COMPILE = gcc $(COMMON) -isystem /usr/include/libnl3 $(SAN_FLAGS)

##
all: $(O)/prior ## the binary: BUILD/LIBC/prior, and prior.debug with its symbols

$(O)/prior: $(O)/prior.debug tests/lint/binary.sh
	$Q$(CROSS)strip -o $@ $<
	$QPRIOR=$@ NM=$(CROSS)nm tests/lint/binary.sh

$(O)/prior.debug: $(OBJ) $(O)/objects $(O)/tables.ld
	@echo "  LINK $@"
	$Q$(CC) $(CFLAGS) $(LINK) -o $@ $(BEGIN) $(LINKED) $(END)

$(O)/tables.ld: tools/tables.ld
	@mkdir -p $(@D)
	$Qsed 's,@O@,$(O),' $< >$@

# What a process that stays can reach, for tests/lint/tables.sh: a link that begins there, of which all else falls out.
STAYS := stay logger_main
ALONE := $(STAYS:%=$(O)/alone/%)
$(O)/alone/%: $(OBJ) $(O)/objects $(O)/tables.ld
	@mkdir -p $(@D)
	$Q$(CC) $(LINK) -nostartfiles -Wl,--defsym,_start=$* -o $@ $(OBJ) $(LIBS)

# The same with one difference: PID 1 aborts when it asks for heap memory after boot (init/base/noheap.h). For tests.
NO_HEAP := init/base/noheap init/serve
WRAPPED := malloc calloc realloc aligned_alloc posix_memalign
$(O)/prior-noheap: $(NO_HEAP:%=$(O)/noheap/%.o) $(OBJ) $(O)/tables.ld
	$Q$(CC) $(CFLAGS) $(LINK) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $(BEGIN) \
		$(filter-out $(NO_HEAP:%=$(O)/%.o),$(OBJ)) $(NO_HEAP:%=$(O)/noheap/%.o) $(LIBS) $(END)

$(O)/noheap/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$Q$(COMPILE) -DPRIOR_NO_HEAP -MMD -MP -c -o $@ $<

$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D); echo "  CC   $<"
	$Q$(COMPILE) -MMD -MP -c -o $@ $<

$(O)/gen/%.o: $(GEN)/%.c $(O)/flags
	@mkdir -p $(@D)
	$Q$(COMPILE) -MMD -MP -c -o $@ $<

$(SAN)/%.o: %.c $(SAN)/flags
	@mkdir -p $(@D); echo "  SAN  $<"
	$Q$(SAN_COMPILE) -MMD -MP -c -o $@ $<

$(SAN)/gen/%.o: $(GEN)/%.c $(SAN)/flags
	@mkdir -p $(@D)
	$Q$(SAN_COMPILE) -MMD -MP -c -o $@ $<

$(SAN)/libprior-test.a: $(SAN_OBJ) $(SAN)/objects
	$Qrm -f $@ && ar rcs $@ $(SAN_OBJ)

# A test may ask for link options in a line `/* link: -Wl,--wrap=read */`.
$(SAN)/unit/%: $(SAN)/tests/unit/%.o $(SAN)/libprior-test.a
	@mkdir -p $(@D)
	$Qgcc $(SAN_FLAGS) -o $@ $< $(SAN)/libprior-test.a \
		$$(sed -n 's,^/\* link: \(.*\) \*/$$,\1,p' tests/unit/$*.c) -lcmocka $(LIBS)

$(GEN)/presets.c: $(PRESETS) $(wildcard configs/presets) tools/embed
	@mkdir -p $(@D)
	$Qtools/embed embedded_presets $(PRESETS) >$@

# `prior run` and nothing else, without a C library: for people who want the smallest file. Kept of the hardening: position
# independence, the stack protector (its canary where no thread storage has to be set up for it), no writable code. Given
# up, for each would cost a page: constants that cannot be executed. RELRO has nothing to protect: see layout.ld.
RUN_ONLY := $(BUILD)/run-only$(ARCH:%=-%)
RUN_ONLY_SRC := $(sort $(wildcard init/run/*.c)) init/run/bare/libc.c init/base/text.c
CANARY := $(if $(filter aarch64-%,$(shell $(CROSS)gcc -dumpmachine)),sysreg \
	-mstack-protector-guard-reg=tpidr_el0 -mstack-protector-guard-offset=0,global)
RUN_ONLY_CC := $(CROSS)gcc $(COMMON) -DPRIOR_RUN_ONLY -Os $(HARD) -mstack-protector-guard=$(CANARY) -fvisibility=hidden \
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
run-only: $(RUN_ONLY)/prior-run ## the smallest file: `prior run` alone, in BUILD/run-only/prior-run

$(RUN_ONLY)/prior-run: $(RUN_ONLY_SRC) $(wildcard init/run/*.h init/run/bare/* init/base/*.h) tests/lint/binary.sh Makefile \
		| $(NEEDS:%=$(BUILD)/need-%)
	@mkdir -p $(@D); echo "  LINK $@"
	$Q$(RUN_ONLY_CC) -c -o $(@D)/start.o init/run/bare/start.c
	$Q$(RUN_ONLY_CC) -flto -nostdlib -static -Wl,-pie,--no-dynamic-linker,-z,text,-z,now,-z,noexecstack,--gc-sections \
		-Wl,--build-id=none,--fatal-warnings,-T,init/run/bare/layout.ld -o $@ $(@D)/start.o $(RUN_ONLY_SRC)
	$Q$(CROSS)strip $@
	$QPRIOR=$@ LIBC=run-only tests/lint/binary.sh

# Programs that tests start inside a cell or a machine, one file each: static, without sanitizers. Our library comes twice:
# libnl's calls of the name service must find our own answers (nonss.c) before the C library's.
$(O)/tests/%: $(O)/tests/%.o $(O)/libprior.a $(O)/tables.ld
	$Q$(CC) $(CFLAGS) $(LINK) -o $@ $(BEGIN) $< $(O)/libprior.a $(LIBS) $(O)/libprior.a $(END)

# These are prior and a part of its boot, whose netlink messages and calls about networks pass by net.c.
COUNTED := $(patsubst %,-Wl$(comma)--wrap=%,sendmsg socket ioctl setns unshare open openat)
$(O)/tests/fault/net: $(O)/init/main.o
$(O)/tests/fault/net: LINK += $(COUNTED) $(O)/init/main.o
$(O)/tests/fault/stages: $(O)/tests/fault/net.o
$(O)/tests/fault/stages: LINK += $(COUNTED) $(O)/tests/fault/net.o

$(O)/libprior.a: $(OBJ) $(O)/objects
	$Qrm -f $@ && ar rcs $@ $(filter-out %/init/main.o,$(OBJ))

# Files that change when what they say does: other flags compile anew, a removed source links anew.
said = @mkdir -p $(@D); echo '$1' | cmp -s - $@ || echo '$1' >$@
$(O)/flags: FORCE $(LIBS_BUILT) | $(NEEDS:%=$(BUILD)/need-%)
	$(call said,$(COMPILE))
$(O)/objects: FORCE
	$(call said,$(OBJ))
$(SAN)/flags: FORCE | $(BUILD)/need-build $(BUILD)/need-test
	$(call said,$(SAN_COMPILE))
$(SAN)/objects: FORCE
	$(call said,$(SAN_OBJ))

$(BUILD)/need-%: tools/packages.txt tools/need
	@mkdir -p $(@D)
	$Qtools/need $* && touch $@

$(BUILD)/musl-libs/built: tools/musl-libs | $(BUILD)/need-build $(BUILD)/need-musl
	$Qtools/musl-libs $(@D)

ifneq ($(ARCH),)
$(CROSS_LIBS)/built: tools/cross-libs tools/packages.txt | $(BUILD)/need-$(ARCH)
	$Q$(TEST_ENV) tools/cross-libs $(@D)
endif

-include $(OBJ:.o=.d) $(NO_HEAP:%=$(O)/noheap/%.d) $(HELPERS:=.d) $(O)/tests/bench/spawn.d $(SAN_OBJ:.o=.d) $(UNIT:$(SAN)/unit/%=$(SAN)/tests/unit/%.d)

##
# Every ladder is programs that print `ok NAME`, `not ok NAME` or `skip NAME: WHY`; tools/runtests counts them.
# They find the binary in PRIOR, and what tests/cells/NAME.c was built to in BUILD/LIBC/tests/cells/NAME. What does not depend on the C library is run once, with glibc.
TEST_ENV = PRIOR=$(abspath $(O)/prior) LIBC=$(LIBC) BUILD=$(abspath $(BUILD)) $(ARCH:%=ARCH=%)
run = $Q$(TEST_ENV) tools/runtests -t $1 $(RESULTS)/$(notdir $(O))/$@ $2
LINT := $(filter-out %/binary.sh %/tables.sh,$(sort $(wildcard tests/lint/*.sh)))
PURE := $(if $(filter glibc,$(LIBC)),$(UNIT) $(LINT))

check: $(O)/prior $(ALONE) $(if $(PURE),$(UNIT)) $(BUILD)/need-test ## unit tests under sanitizers, goldens, lint: no root, seconds
	$(call run,60,$(PURE) tests/lint/binary.sh tests/lint/tables.sh $(sort $(wildcard tests/golden/*.sh)))

unit: $(UNIT) ## of these, the unit tests alone: needs no binary
	$(call run,60,$(UNIT))

lint: $(BUILD)/need-test ## and the rules about the source alone
	$(call run,60,$(LINT))

check-root: $(O)/prior $(O)/prior-noheap $(RUN_ONLY)/prior-run $(HELPERS) $(BUILD)/need-test ## cells: real namespaces, mounts and filters, as root
	$(call run,1500,tests/cells/run)

check-boot: $(O)/prior $(HELPERS) $(BUILD)/need-test ## the machine under test, in QEMU
	$(call run,1800,qemu/run-scenarios)

check-fault: $(O)/prior $(O)/prior-noheap $(HELPERS) $(BUILD)/need-test ## what PID 1 does when system calls fail
	$(call run,900,tests/fault/run)

LADDERS := glibc/check glibc/check-root glibc/check-boot glibc/check-fault musl/check musl/check-root musl/check-boot
test: ## all of the above with both C libraries (musl: SUBSET=first for root and boot; glibc: SUBSET=others for boot)
	@rm -rf $(RESULTS); trap 'exit 130' INT TERM; for l in $(LADDERS); do \
		echo "== $$l"; libc=$${l%/*}; began=$$(date +%s); \
		case $$l in musl/*) subset=first ;; */check-boot) subset=others ;; *) subset= ;; esac; \
		SUBSET=$$subset $(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory LIBC=$$libc $${l#*/} || :; \
		echo "== $$l took $$(($$(date +%s) - began)) s"; \
	done; tools/runtests --sum $(RESULTS) $(LADDERS)

# Under an emulated processor of another kind: not a part of `make test`.
test-arm64: ## every scenario on arm64, cross-built, in QEMU: a quarter of an hour; ONLY=NAME,... says which
	$QSUBSET=first $(MAKE) --no-print-directory ARCH=arm64 check-boot

soak: $(O)/prior $(BUILD)/need-test ## thirty power cuts at random moments, in QEMU: CUTS=30 SEED=6; minutes
	$QCUTS=$(or $(CUTS),30) SEED=$(or $(SEED),6) $(TEST_ENV) qemu/run-scenarios --only power-cut

golden: $(O)/prior ## write the goldens anew; review them as a diff
	$Qfor t in $(sort $(wildcard tests/golden/*.sh)); do $(TEST_ENV) UPDATE=1 $$t || exit; done

demo: $(O)/prior $(BUILD)/need-demo ## boot the appliance in QEMU; CHECK=1 tries it unattended
	$Q$(TEST_ENV) CHECK=$(CHECK) qemu/demo

image: $(O)/prior $(BUILD)/need-image ## DIR=examples/image KIND=disk: a folder becomes an image (initramfs, root, disk): docs/IMAGES.md
	$Q$(TEST_ENV) qemu/image --libc $(LIBC) --kind $(or $(KIND),disk) $(or $(DIR),examples/image)

bench: $(O)/prior $(O)/tests/bench/spawn $(RUN_ONLY)/prior-run $(BUILD)/need-bench ## measure it beside its peers; BENCH=quick in two minutes
	$Q$(TEST_ENV) tests/bench/run

##
install: $(O)/prior ## the binary and its manual pages
	install -D -m 755 $< $(DESTDIR)$(SBINDIR)/prior
	for p in $(wildcard docs/*.[1-8]); do \
		install -D -m 644 $$p $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$${p##*/} || exit; done
	install -D -m 644 docs/completion/prior.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/prior
	install -D -m 644 docs/completion/prior.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_prior
	install -D -m 644 docs/completion/prior.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/prior.fish

clean: ## remove what was built, but not the libraries for musl
	rm -rf $(BUILD)/glibc $(BUILD)/glibc-arm64 $(BUILD)/musl $(BUILD)/run-only $(BUILD)/run-only-arm64 $(SAN) $(GEN) $(RESULTS) $(BUILD)/need-*

help: ## this
	@sed -n -e 's/^## \{0,1\}//p' -e 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1|\2/p' Makefile | \
		awk -F'|' 'NF == 2 { printf "%-18s%s\n", $$1, $$2; next } { print }'

.PHONY: FORCE soak test-arm64 all run-only check unit lint check-root check-boot check-fault test golden demo image bench install clean help
