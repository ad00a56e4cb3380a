# SPDX-License-Identifier: Apache-2.0
# Build: make [V=1] [SAN=1] [CC=clang] [B=directory]
#
#   make            build/ipvlan, build/addrpool, build/addrpool-claim, build/ipvlanctl, build/ipvlan-node, build/ipvlan-netavark
#   make demo       shows one pod interface from ADD to DEL
#   make test       tests of the programs, in some minutes
#   make test-deep  compared with the Go plugins, killed at each system call, under load, on many nodes
#   make test-every-case  kills and errors at each system call, and mutants: takes hours
#   make sim        simulates nodes that share a pool, with faults: SEED=1 STEPS=10000
#   make sim-identities simulates named workloads that move between nodes: SEED=1 MOVES=1000 CLUSTER=kubernetes
#   make sim-broken copies of the programs with one wrong line: the simulation finds each
#   make test-all   all of these, and tests that require the Go module proxy
#   make test-runtimes   real container runtimes: Podman, containerd; Multus
#   make test-set-up     a node of Kubernetes, from kubectl apply -k to kubectl delete -k
#   make test-cluster    a cluster of Kubernetes with three nodes
#   make test-moves      identities that move between three machines
#   make test-conformance  Kubernetes' own tests of networking, and critest's
#   make test-release   make release, from a clone of the commit
#   make test-packages  the Debian package, installed on a fresh Debian
#   make model      every state of a model of the shared pool's protocol, by Spin
#   make check      C tests of the logic, without root
#   make lint       format, static analysis, layering
#   make fuzz       each parser for SECONDS=20
#   make static     build/static: all programs, without shared libraries; ARCH=arm64: build/static-arm64
#   make refresh-static  builds them anew if Debian has newer libraries
#   make test-static     they are the same when built twice; SBOM; TLS with etcd and the API server
#   make test-arm64      those of arm64 on Debian's kernel
#   make dist       build/release: a tarball of the static programs for each architecture
#   make deb        build/release: the Debian package
#   make release    build/release: all of these from a commit, with sources, notes and SHA256SUMS
#   make image      build/image.tar: an image of the static programs, which sets up a node of Kubernetes
#   make facts      what the code relies on in the kernel, a line each: KERNEL=qemu-6.1
#   make test-kernels   the tests on our kernel and Debian's
#   make coverage   which lines the tests run
#   make install    into DESTDIR, BINDIR=/opt/cni/bin; ipvlanctl into SBINDIR=/usr/local/sbin
#   make uninstall  removes the files of make install
#
#   All that run programs or install them require root: demo, test*, sim*, bench*, coverage, static, dist, image, release.
#   If a target would upgrade an installed package, it fails unless UPGRADE=yes.

VERSION = 1.0.0
DATE = 2026-11-29
B ?= build
PREFIX ?= /opt/cni
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= /usr/local/sbin
NETAVARKDIR ?= /usr/local/libexec/netavark
MANDIR ?= /usr/share/man
UNITDIR ?= /usr/local/lib/systemd/system
COMPLETIONDIR ?= /usr/share/bash-completion/completions
ZSHDIR ?= /usr/local/share/zsh/site-functions
FISHDIR ?= /usr/share/fish/vendor_completions.d

PKG_CONFIG ?= pkg-config
JANSSON = $(shell $(PKG_CONFIG) --cflags --libs jansson)
MNL = $(shell $(PKG_CONFIG) --cflags --libs libmnl)
CURL = $(shell $(PKG_CONFIG) --cflags --libs libcurl)
YAML = $(shell $(PKG_CONFIG) --cflags --libs yaml-0.1)
MICROHTTPD = $(shell $(PKG_CONFIG) --cflags --libs libmicrohttpd)

WARN = -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough \
	-Wdouble-promotion -Wnull-dereference -Werror
HARDEN = -fstack-protector-strong -fPIE
PIE = -pie
CFLAGS ?= -O2 -g
ifdef SAN
SANITY = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARDEN += -D_FORTIFY_SOURCE=2
endif
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -DPROJECT_VERSION='"$(VERSION)"' -iquote include \
	-MMD -MP $(WARN) $(HARDEN) $(SANITY)
override LDFLAGS += $(PIE) -Wl,-z,relro,-z,now,--build-id=sha1 $(SANITY)

ifndef V
Q = @
say = @printf '  %-7s %s\n'
else
say = @:
endif

# the first line of a recipe that no other user can carry out
as_root = @[ "$$(id -u)" = 0 ] || { echo "make $@ requires root" >&2; exit 1; }

# A directory of .c files is one program or one library.
objects = $(patsubst %.c,$B/obj/%.o,$(wildcard $1/*.c))

all: $B/ipvlan $B/addrpool $B/addrpool-claim $B/ipvlanctl $B/ipvlan-node $B/ipvlan-netavark
	@:

# yaml.o is only for programs with libyaml, which the static programs lack
$B/libcni.a: $(filter-out %/yaml.o,$(call objects,plugin/cni))
$B/libnet.a: $(call objects,plugin/net)
$B/libplugin.a: $(filter-out %/main.o,$(call objects,plugin))
$B/libipam.a: $(filter-out %/main.o,$(call objects,ipam))
$B/ipvlan: $B/obj/plugin/main.o $B/libplugin.a $B/libipam.a $B/libnet.a $B/libcni.a
$B/ipvlan: private LDLIBS += $(MNL) $(JANSSON)
$B/addrpool: $B/obj/ipam/main.o $B/libipam.a $B/libnet.a $B/libcni.a
$B/addrpool: private LDLIBS += $(JANSSON)
$B/addrpool-claim: $(call objects,ipam/claim) $B/obj/plugin/cni/yaml.o $B/libipam.a $B/libnet.a $B/libcni.a
$B/addrpool-claim: private LDLIBS += $(JANSSON) $(MNL) $(CURL) $(YAML)

# ipvlan contains addrpool, and knows its build ID: see plugin/delegate.h
$B/obj/plugin/main.o $B/obj/plugin/netavark/main.o: $B/addrpool
$B/obj/plugin/main.o $B/obj/plugin/netavark/main.o: private override CFLAGS += -DADDRPOOL_BUILD_ID="$$(readelf -n $B/addrpool | sed -n 's/.*Build ID: //p' | sed 's/../0x&,/g')"

# The commit is that of git, or of the file in an archive of a commit (.gitattributes). The same sources make the
# same programs. "+" marks changed sources.
GIT = git -c safe.directory='*' -C $(CURDIR)
$B/git-id: always
	@mkdir -p $(@D)
	@if [ -e .git ] && id=$$($(GIT) rev-parse HEAD 2>/dev/null); then \
		printf '%.7s%s\n' $$id $$($(GIT) status --porcelain --untracked-files=no | sed -n '1s/.*/+/p'); \
	else \
		sed -n 's/^\([0-9a-f]\{7\}\)[0-9a-f]*\(+*\)$$/\1\2/p' .ci/git-id 2>/dev/null; \
	fi >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$B/obj/plugin/cni/about.o: $B/git-id
$B/obj/plugin/cni/about.o: private override CFLAGS += -DGIT_ID='"$(shell cat $B/git-id)"'

# completion for shells, printed by the program
SHELLS = bash zsh fish
$B/completion.%: $B/ipvlanctl
	$(Q)$B/ipvlanctl completion $* >$@

# not for programs with sanitizers or threads
ifdef SHORT_LIVED
$B/ipvlan $B/addrpool: $(call objects,plugin/memory)
endif

$B/ipvlanctl: $(call objects,plugin/ctl) $B/obj/plugin/netavark/network.o $B/obj/plugin/cni/yaml.o $B/libplugin.a $B/libnet.a $B/libcni.a
$B/ipvlanctl: private LDLIBS += $(MNL) $(JANSSON) $(YAML)

$B/ipvlan-node: $(call objects,plugin/node) $B/libplugin.a $B/libnet.a $B/libcni.a
$B/ipvlan-node: private LDLIBS += $(MNL) $(JANSSON) $(MICROHTTPD)

$B/ipvlan-netavark: $(call objects,plugin/netavark) $B/libplugin.a $B/libipam.a $B/libnet.a $B/libcni.a
$B/ipvlan-netavark: private LDLIBS += $(MNL) $(JANSSON)

$B/ipvlan $B/addrpool $B/addrpool-claim $B/ipvlanctl $B/ipvlan-node $B/ipvlan-netavark:
	$(say) LINK $@
	$(Q)$(STATE_LIBRARIES) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(STATED) $(LDLIBS)

$B/lib%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/obj/%.o: %.c Makefile
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

-include $(wildcard $B/obj/*/*.d $B/obj/*/*/*.d)

# Adds the version and its date to the man pages.
PAGES = $(patsubst %,$B/%,$(wildcard man/*.[1-8]))
$B/man/%: man/% Makefile
	@mkdir -p $(@D)
	$(Q)sed '/^\.TH /s/"" "ipvlan-cni"/"$(DATE)" "ipvlan-cni $(VERSION)"/' $< >$@

include $(wildcard test/*.mk .ci/*.mk)

# MODE:SOURCE:DESTINATION
INSTALLED = \
	$(foreach p,ipvlan addrpool addrpool-claim,755:$B/$p:$(BINDIR)/$p) \
	$(foreach p,ipvlanctl ipvlan-node,755:$B/$p:$(SBINDIR)/$p) \
	755:$B/ipvlan-netavark:$(NETAVARKDIR)/ipvlan-netavark \
	$(foreach p,$(PAGES),644:$p:$(MANDIR)/man$(subst .,,$(suffix $p))/$(notdir $p)) \
	644:$B/ipvlan-node.service:$(UNITDIR)/ipvlan-node.service \
	644:$B/completion.bash:$(COMPLETIONDIR)/ipvlanctl \
	644:$B/completion.zsh:$(ZSHDIR)/_ipvlanctl \
	644:$B/completion.fish:$(FISHDIR)/ipvlanctl.fish

$B/ipvlan-node.service: plugin/node/ipvlan-node.service always
	$(Q)sed 's,@SBINDIR@,$(SBINDIR),' $< >$@

install: all $(PAGES) $B/completion.bash $B/completion.zsh $B/completion.fish $B/ipvlan-node.service
	$(Q)for file in $(INSTALLED); do \
		rest=$${file#*:} && echo "  INSTALL $(DESTDIR)$${rest#*:}" && \
		install -D -m "$${file%%:*}" "$${rest%%:*}" "$(DESTDIR)$${rest#*:}" || exit 1; \
	done

# removes the files of install from the same directories; leases, records and configurations stay
uninstall:
	$(Q)for file in $(INSTALLED); do \
		rest=$${file#*:} && echo "  REMOVE  $(DESTDIR)$${rest#*:}" && rm -f "$(DESTDIR)$${rest#*:}" || exit 1; \
	done

version:
	@echo $(VERSION)

clean:
	rm -rf $B

help:
	@sed -n 's/^#   //p' Makefile

.PHONY: all always install uninstall version clean help
.DELETE_ON_ERROR:
