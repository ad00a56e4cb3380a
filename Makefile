# Build: make [V=1] [SAN=1] [CC=clang] [B=directory]
#
#   make            build/ipvlan, build/addrpool, build/addrpool-claim, build/ipvlanctl
#   make demo       one pod interface from ADD to DEL, shown to a person
#   make test       what the programs do, in some minutes
#   make test-deep  beside the Go plugins, killed at each system call, under load, on many nodes
#   make test-all   both, and what needs the Go module proxy
#   make test-runtimes   real container runtimes: Podman, containerd; Multus
#   make test-packages  the Debian package, installed on a fresh Debian
#   make check      C tests of the logic, without root
#   make lint       format, static analysis, layering
#   make fuzz       each parser for SECONDS=20
#   make static     build/static/{ipvlan,addrpool}, without shared libraries
#   make dist       build/release: a tarball of the static binaries and its SHA256
#   make deb        build/release: the Debian package
#   make image      build/image.tar: a container image that installs the static binaries on a node
#   make test-kernels   on our kernel and Debian's
#   make coverage   which lines the tests run
#   make install    into DESTDIR, BINDIR=/opt/cni/bin; ipvlanctl into SBINDIR=/usr/local/sbin

VERSION = 0.1.0
B ?= build
PREFIX ?= /opt/cni
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= /usr/local/sbin
MANDIR ?= /usr/share/man
COMPLETIONDIR ?= /usr/share/bash-completion/completions

PKG_CONFIG ?= pkg-config
JANSSON = $(shell $(PKG_CONFIG) --cflags --libs jansson)
MNL = $(shell $(PKG_CONFIG) --cflags --libs libmnl)
HTTP = $(shell $(PKG_CONFIG) --cflags --libs libcurl yaml-0.1)

WARN = -Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough \
	-Wdouble-promotion -Wnull-dereference -Werror
HARDEN = -fstack-protector-strong $(PIC)
PIC = -fPIE
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

# A directory of .c files is one program or one library, never both.
objects = $(patsubst %.c,$B/obj/%.o,$(wildcard $1/*.c))

all: $B/ipvlan $B/addrpool $B/addrpool-claim $B/ipvlanctl
	@:

$B/libcni.a: $(call objects,plugin/cni)
$B/libnet.a: $(call objects,plugin/net)
$B/libplugin.a: $(filter-out %/main.o,$(call objects,plugin))
$B/libipam.a: $(filter-out %/main.o,$(call objects,ipam))
$B/ipvlan: $B/obj/plugin/main.o $B/libplugin.a $B/libipam.a $B/libnet.a $B/libcni.a
$B/ipvlan: LDLIBS += $(MNL) $(JANSSON)
$B/addrpool: $B/obj/ipam/main.o $B/libipam.a $B/libnet.a $B/libcni.a
$B/addrpool: LDLIBS += $(JANSSON)
$B/addrpool-claim: $(call objects,ipam/claim) $B/libipam.a $B/libnet.a $B/libcni.a
$B/addrpool-claim: LDLIBS += $(JANSSON) $(MNL) $(HTTP)

# ipvlan has addrpool in itself and knows it by its build ID: see plugin/delegate.h
$B/obj/plugin/main.o: $B/addrpool
$B/obj/plugin/main.o: private override CFLAGS += -DADDRPOOL_BUILD_ID="$$(readelf -n $B/addrpool | sed -n 's/.*Build ID: //p' | sed 's/../0x&,/g')"

# not with what finds errors in the use of memory, nor where there are threads
ifdef SHORT_LIVED
$B/ipvlan $B/addrpool: $(call objects,plugin/memory)
endif

$B/ipvlanctl: $(call objects,plugin/ctl) $B/libplugin.a $B/libnet.a $B/libcni.a
$B/ipvlanctl: LDLIBS += $(MNL) $(JANSSON)

$B/ipvlan $B/addrpool $B/addrpool-claim $B/ipvlanctl:
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$B/lib%.a:
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/obj/%.o: %.c Makefile
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

-include $(wildcard $B/obj/*/*.d $B/obj/*/*/*.d)

include $(wildcard test/*.mk .ci/*.mk)

install: all
	install -D -m 755 $B/ipvlan $(DESTDIR)$(BINDIR)/ipvlan
	install -D -m 755 $B/addrpool $(DESTDIR)$(BINDIR)/addrpool
	install -D -m 755 $B/addrpool-claim $(DESTDIR)$(BINDIR)/addrpool-claim
	install -D -m 755 $B/ipvlanctl $(DESTDIR)$(SBINDIR)/ipvlanctl
	install -D -m 644 man/ipvlan-cni.8 $(DESTDIR)$(MANDIR)/man8/ipvlan-cni.8
	install -D -m 644 man/addrpool.8 $(DESTDIR)$(MANDIR)/man8/addrpool.8
	install -D -m 644 man/ipvlanctl.8 $(DESTDIR)$(MANDIR)/man8/ipvlanctl.8
	install -D -m 644 man/ipvlan-cni-errors.7 $(DESTDIR)$(MANDIR)/man7/ipvlan-cni-errors.7
	install -D -m 644 plugin/ctl/completion.bash $(DESTDIR)$(COMPLETIONDIR)/ipvlanctl

clean:
	rm -rf $B

help:
	@sed -n 's/^#   //p' Makefile

.PHONY: all install clean help
.DELETE_ON_ERROR:
