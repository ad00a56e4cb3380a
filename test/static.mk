# SPDX-License-Identifier: Apache-2.0
# make static: $B/static/ipvlan, addrpool and ipvlan-netavark, which need no library and no loader of the
# machine that they run on. Root's, because they are tried in an empty root directory. addrpool-claim stays with
# the shared libcurl: it runs seldom, and TLS libraries are for their distribution to mend.
#
# Without tables for stack unwinding and in one segment with its constants, the code has a tenth fewer
# pages, each of which a process that lives for a millisecond has to map.
#
# With musl, which starts in a fifth of the time, if the archive has what test/musl-libraries needs at
# hand, else with glibc. It is the same make with another compiler. Whoever builds the same sources with
# the same packages gets the same bytes, wherever the tree lies.

STATIC_PLUGINS = $B/static/ipvlan $B/static/addrpool
STATIC_OURS = $(STATIC_PLUGINS) $B/static/ipvlan-netavark
STATIC_PROGRAMS = $(STATIC_OURS)
STATIC = $(MAKE) --no-print-directory B=$B/static SAN= SHORT_LIVED=yes
STATIC_CFLAGS = -O2 -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=. \
	-fno-asynchronous-unwind-tables -fno-unwind-tables
STATIC_LINK = -Wl,--gc-sections,-z,noseparate-code

static:
	@test/install-deps build static
	+@if libraries=$$(test/musl-libraries); then \
		$(STATIC) CC=musl-gcc PIC=-fno-pie PIE="-no-pie -static $(STATIC_LINK)" \
			CFLAGS="$(STATIC_CFLAGS) -isystem $$libraries/include" MNL="-L$$libraries/lib -lmnl" \
			JANSSON="-L$$libraries/lib -ljansson" $(STATIC_PROGRAMS); \
	else \
		echo "no libraries for musl to be had: linking with glibc"; \
		libraries=$$(test/glibc-libraries) && $(STATIC) PIE="-static-pie $(STATIC_LINK)" \
			CFLAGS="$(STATIC_CFLAGS)" MNL="-L$$libraries -lmnl" $(STATIC_PROGRAMS); \
	fi
	@strip $(STATIC_PROGRAMS)
	@root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && for program in $(notdir $(filter $(STATIC_OURS),$(STATIC_PROGRAMS))); do \
		cp $B/static/$$program "$$root" && \
		chroot "$$root" /$$program --version >/dev/null && \
		echo "$B/static/$$program: $$(stat -c %s $B/static/$$program) bytes, runs where nothing else is" || \
		exit 1; \
	done

.PHONY: static
