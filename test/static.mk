# make static: $B/static/ipvlan and addrpool, which need no library and no loader of the machine that
# they run on. Root's, because they are tried in an empty root directory.
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
	@strip $B/static/ipvlan $B/static/addrpool
	@root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && for program in ipvlan addrpool; do \
		cp $B/static/$$program "$$root" && \
		CNI_COMMAND=VERSION chroot "$$root" /$$program >/dev/null && \
		echo "$B/static/$$program: $$(stat -c %s $B/static/$$program) bytes, runs where nothing else is" || \
		exit 1; \
	done

.PHONY: static
