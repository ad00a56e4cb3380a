# SPDX-License-Identifier: Apache-2.0
# make check: C tests of the logic. They require no root, no network and no time.
#
# Each test/unit/NAME.c is a program that prints TAP. It is linked with the plugins' objects, compiled in the same
# way, so that SAN=1 and CC=clang apply to both. RUN is in front of each, such as an emulator.

UNIT = $(patsubst test/%.c,$B/%,$(wildcard test/unit/*.c))

check:
	$(Q)test/install-deps build $(if $(findstring clang,$(CC)),clang)
	+@$(MAKE) --no-print-directory unit

unit: $(UNIT)
	@for t in $^; do \
		echo "program $$t"; $(RUN) $$t; echo "status $$?"; \
	done 2>&1 | awk ' \
		/^program /  { name = $$2; failures = 0; next } \
		/^status /   { if ($$2 && !failures) { print name " ended with status " $$2; failed++ } next } \
		/^ok /       { passed++; next } \
		/^1\.\.[0-9]+$$/ { next } \
		/^not ok /   { $$1 = ""; $$2 = name; failures++; failed++ } \
		             { print } \
		END          { printf "check: %d passed, %d failed\n", passed, failed; exit failed > 0 }'

$B/unit/blocks: $(patsubst %,$B/obj/ipam/claim/%.o,engine candidates)
$B/unit/netavark: $(patsubst %,$B/obj/plugin/netavark/%.o,network container)
$(UNIT): $B/unit/%: $B/obj/test/unit/%.o $B/libplugin.a $B/libipam.a $B/libnet.a $B/libcni.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(MNL) $(JANSSON)

.PHONY: check unit
