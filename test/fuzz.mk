# SPDX-License-Identifier: Apache-2.0
# make fuzz [SECONDS=20] [JOBS=1]: fuzzes each parser of untrusted input for SECONDS, with clang's libFuzzer.
#
# Each test/fuzz/NAME.c is a target that starts from test/fuzz/corpus/NAME. $B/fuzz keeps new inputs in
# corpus/NAME, from which the next run continues, until `make clean`; and inputs that crash in crashes.

SECONDS ?= 20
FUZZ_CC = clang
FUZZ_CFLAGS = -O1 -g -std=gnu11 -D_GNU_SOURCE -DPROJECT_VERSION='"fuzz"' -iquote include -MMD -MP $(WARN) -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

FUZZ = $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c))

fuzz:
	$(Q)test/install-deps build fuzz
	+@$(MAKE) --no-print-directory $(FUZZ:%=fuzz-%)

$(FUZZ:%=fuzz-%): fuzz-%: $B/fuzz/%
	@mkdir -p $B/fuzz/corpus/$* $B/fuzz/crashes
	@cp test/fuzz/corpus/$*/* $B/fuzz/corpus/$*
	@$B/fuzz/$* -max_total_time=$(SECONDS) -timeout=10 -dict=test/fuzz/words.dict -print_final_stats=1 \
		$(if $(JOBS),-fork=$(JOBS)) -artifact_prefix=$B/fuzz/crashes/$*- $B/fuzz/corpus/$* \
		>$B/fuzz/$*.log 2>&1 || { \
		grep -v -e '^#[0-9]' -e '^"' -e '^0x' $B/fuzz/$*.log; \
		echo "fuzz $*: failed; replay with: $B/fuzz/$* $$(ls -t $B/fuzz/crashes/$*-* | head -n 1)"; exit 1; }
	@echo "fuzz $*: $$(grep 'cov: ' $B/fuzz/$*.log | tail -n 1)"

# An archive, since some targets contain a source file, or replace functions of one.
fuzz_parts = $(patsubst %.c,$B/fuzz/obj/%.o,$(filter-out %/main.o %/main.c,$(wildcard $(1))))

$B/fuzz/parts.a: $(call fuzz_parts,plugin/*.c plugin/cni/*.c plugin/net/*.c ipam/*.c ipam/claim/*.c)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(FUZZ:%=$B/fuzz/%): $B/fuzz/%: $B/fuzz/obj/test/fuzz/%.o $B/fuzz/parts.a
	$(say) LINK $@
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(MNL) $(JANSSON) $(CURL) $(YAML)

$B/fuzz/obj/%.o: %.c Makefile test/fuzz.mk
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -c -o $@ $<

-include $(wildcard $B/fuzz/obj/*/*.d $B/fuzz/obj/*/*/*.d)

.PHONY: fuzz $(FUZZ:%=fuzz-%)
