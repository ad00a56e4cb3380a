# SPDX-License-Identifier: Apache-2.0
# make static: all programs in $B/static, which require no library and no loader of the machine. It requires root,
# because it runs them in an empty root directory. With ARCH=arm64 it builds them for that, in $B/static-arm64.
#
# Without tables for stack unwinding, and in one segment with its constants, the code has a tenth fewer pages.
# A process that runs for a millisecond must map each of them. Each program is position-independent, which costs ipvlan 15 µs
# of a call, and addrpool-claim, with the tables of OpenSSL, 165 µs.
#
# It uses musl, which starts in a fifth of glibc's time, and the libraries of test/musl-libraries. It is the same make
# with another compiler. The same sources and packages make the same bytes in any directory. `make refresh-static`
# builds libraries and programs again after Debian has updated a library.

HOST_ARCH = $(shell dpkg --print-architecture)
ARCH ?= $(HOST_ARCH)
ARCHITECTURES = amd64 arm64
static_dir = $B/static$(if $(filter-out $(HOST_ARCH),$1),-$1)
STATIC_DIR = $(call static_dir,$(ARCH))

PROGRAMS = ipvlan addrpool addrpool-claim ipvlanctl ipvlan-node ipvlan-netavark
STATIC_PLUGINS = $B/static/ipvlan $B/static/addrpool
STATIC_OURS = $(PROGRAMS:%=$(STATIC_DIR)/%)
STATIC_PROGRAMS = $(STATIC_OURS)
STATIC = $(MAKE) --no-print-directory B=$(STATIC_DIR) SAN= SHORT_LIVED=yes
STATIC_CFLAGS = -O2 -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=. \
	-fno-asynchronous-unwind-tables -fno-unwind-tables
STATIC_LINK = -Wl,--gc-sections,-z,noseparate-code
# the answers of pkg-config for shared libraries
STATIC_LIBRARIES = MNL=-lmnl JANSSON=-ljansson YAML=-lyaml CURL='-lcurl -lssl -lcrypto' MICROHTTPD=-lmicrohttpd
STATIC_TOOL = $(subst amd64,x86_64,$(subst arm64,aarch64,$(ARCH)))-linux-gnu-

STATIC_MAKE = libraries=$$(test/musl-libraries $(REFRESH) $(ARCH)) && $(STATIC) CC="$$libraries/cc" AR=$(STATIC_TOOL)ar \
	PIE="-static-pie $(STATIC_LINK)" CFLAGS="$(STATIC_CFLAGS)" LIBRARIES="$$libraries/libraries" $(STATIC_LIBRARIES)

static:
	$(as_root)
	@test/install-deps build static $(filter-out $(HOST_ARCH),$(ARCH))
	+@$(STATIC_MAKE) $(STATIC_PROGRAMS)
	@$(STATIC_TOOL)strip $(STATIC_PROGRAMS)
	@$(if $(filter $(HOST_ARCH),$(ARCH)),$(RUN_ALONE))

# runs each program in a root directory without other files
define RUN_ALONE
root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && for program in $(notdir $(filter $(STATIC_OURS),$(STATIC_PROGRAMS))); do \
	cp $B/static/$$program "$$root" && \
	chroot "$$root" /$$program --version >/dev/null && \
	echo "$B/static/$$program: $$(stat -c %s $B/static/$$program) bytes, runs where nothing else is" || \
	exit 1; \
done
endef

refresh-static:
	@$(MAKE) --no-print-directory static REFRESH=--refresh

# A static program lists its libraries in a file beside it, and in itself: test/linked.
ifdef LIBRARIES
STATED = $@.linked.o
STATE_LIBRARIES = test/linked list $(LIBRARIES) $(LDLIBS) >$@.linked && \
	test/linked c $(LIBRARIES) $(LDLIBS) | $(CC) -c -x c -o $(STATED) - &&
endif

# the static programs, with the tests' tools, as the BUILD of other tests
TESTED = $B/static-tested
STATICS = $(foreach a,$(ARCHITECTURES),$a=$(abspath $(call static_dir,$a)))
test-static:
	$(Q)test/install-deps build test sbom
	@$(MAKE) --no-print-directory all tools
	@for arch in $(ARCHITECTURES); do $(MAKE) --no-print-directory static ARCH=$$arch || exit 1; done
	$(Q)rm -rf $(TESTED) && mkdir $(TESTED) && cp -r $B/tools $(STATIC_OURS) $(STATIC_OURS:%=%.linked) $(TESTED)
	$(Q)test/static/get-spdx-tools >/dev/null && STATICS='$(STATICS)' BUILD=$(TESTED) test/suite test/static/static.bats test/cluster/etcd.bats
	$(Q)test/cluster/get-kubernetes >/dev/null && CLUSTER=kubernetes BUILD=$(TESTED) test/suite test/kubernetes/kubernetes.bats test/cluster/blocks.bats
	@$(MAKE) --no-print-directory dist
	@$(MAKE) --no-print-directory image
	$(Q)IMAGE=$(abspath $B/image.tar) RELEASE=$(abspath $B/release) bats --tap test/static/dist.bats
	$(Q)STATICS='$(STATICS)' bats --tap test/static/twice.bats

# Of arm64, on other machines: the C tests by QEMU's emulation of processes, then the programs on Debian's kernel in QEMU.
test-arm64:
	$(Q)test/install-deps build test emulator
	@$(MAKE) --no-print-directory static ARCH=arm64
	+@$(MAKE) --no-print-directory arm64-unit ARCH=arm64
	$(Q)test/arm64/run $(call static_dir,arm64) | awk '{ print } /^ok/ { p++ } /^not ok/ { f++ } END { printf "%d passed, %d failed\n", p, f; exit f || !p }'

# a test that has its own mnl_socket_recvfrom() comes before the library that has another
arm64-unit:
	+@$(STATIC_MAKE) unit RUN=qemu-aarch64-static LDFLAGS=-Wl,--allow-multiple-definition

.PHONY: static refresh-static test-static test-arm64 arm64-unit
