# SPDX-License-Identifier: Apache-2.0
# Programs that tests call, not the product: test/DIRECTORY/NAME.c is $B/tools/NAME.

TOOLS = $(wildcard test/load/*.c test/bench/*.c test/plugin/*.c test/sim/*.c test/kernel/facts/*.c)
TOOL_PROGRAMS = $(patsubst %,$B/tools/%,$(notdir $(TOOLS:.c=)))

tools: $(TOOL_PROGRAMS) $B/tools/faults

# one tool of several files
$B/tools/faults: $(call objects,test/faults)

define tool
$B/tools/$(notdir $(1:.c=)): $B/obj/$(1:.c=.o)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))

# contains the code of addrpool-claim, and counts its requests
$B/tools/claims: $(filter-out %/main.o,$(call objects,ipam/claim)) $B/obj/plugin/cni/yaml.o $B/libipam.a $B/libnet.a $B/libcni.a
$B/tools/claims: LDLIBS += $(CURL) $(YAML) -Wl,--wrap=curl_multi_add_handle,--wrap=curl_multi_remove_handle

$(TOOL_PROGRAMS) $B/tools/faults:
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(MNL) $(JANSSON) $(LDLIBS)

# times of addrpool and host-local by the number of leases
bench-pool:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/pool

# cost of a claim by the size of the pool, and with many nodes at once; writes the table in test/bench/README.md: BENCH=-q
bench-cluster:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/claims $(BENCH)

# how fast nodes get addresses of a shared pool: BENCH="-e etcd -s 16 -n 10"
bench-addresses:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/addresses $(BENCH)

# times of ADD, DEL, CHECK and VERSION, compared with the Go plugins and the minimum: BENCH=-q
BENCHED = ipvlan addrpool tools/floor tools/order-times
bench:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory static STATIC_PROGRAMS='$(BENCHED:%=$B/static/%)'
	$(Q)BUILD=$B test/bench/order $(BENCH)

# what antiSpoof, bandwidth, allow and deny cost calls and packets: BENCH=-q
bench-path:
	$(Q)test/install-deps build test bench
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/path $(BENCH)

# what a pod's traffic gets of its rate, with the shaper and without: BENCH=-q
bench-rate:
	$(Q)test/install-deps build test bench
	@$(MAKE) --no-print-directory all
	$(Q)BUILD=$B test/bench/rate $(BENCH)

# pods started and stopped at once by containerd, with our plugins, Go's, and whereabouts: BENCH=-q, BENCH="-t 100:1"
bench-pods:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory static STATIC_PROGRAMS='$(STATIC_PLUGINS) $B/static/tools/timed'
	$(Q)BUILD=$B test/bench/pods $(BENCH)

.PHONY: tools bench bench-path bench-pods bench-rate bench-pool bench-cluster bench-addresses
