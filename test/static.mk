# make static: $B/static/ipvlan, which needs no library and no loader of the machine that it runs on.
# Root's, because it is tried in an empty root directory.
#
# With musl, which starts in a fifth of the time, if the archive has the sources of both libraries at
# hand, else with glibc. It is the same make with another compiler; the libraries come after the
# objects, so that -no-pie there has the last word: musl-gcc of Debian 12 cannot link a static
# executable that is position-independent.

static:
	@test/install-deps build static
	+@if libraries=$$(test/musl-libraries); then \
		$(MAKE) --no-print-directory B=$B/static SAN= CC=musl-gcc \
			CFLAGS="-Os -ffunction-sections -fdata-sections -isystem $$libraries/include" \
			MNL="-L$$libraries/lib -lmnl" JANSSON="-ljansson -static -no-pie -Wl,--gc-sections" all; \
	else \
		echo "no sources for musl to be had: linking with glibc"; \
		libraries=$$(test/glibc-libraries) && $(MAKE) --no-print-directory B=$B/static SAN= \
			CFLAGS="-Os -ffunction-sections -fdata-sections" MNL="-L$$libraries -lmnl" \
			JANSSON="-ljansson -static-pie -Wl,--gc-sections" all; \
	fi
	@strip $B/static/ipvlan
	@root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && cp $B/static/ipvlan "$$root" && \
		CNI_COMMAND=VERSION chroot "$$root" /ipvlan >/dev/null && \
		echo "$B/static/ipvlan: $$(stat -c %s $B/static/ipvlan) bytes, runs where nothing else is"

.PHONY: static
