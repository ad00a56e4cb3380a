# Programs that tests call, not the product: test/DIRECTORY/NAME.c is $B/tools/NAME.

TOOLS = $(wildcard test/load/*.c test/bench/*.c)
TOOL_PROGRAMS = $(patsubst %,$B/tools/%,$(notdir $(TOOLS:.c=)))

tools: $(TOOL_PROGRAMS) $B/tools/faults

# and one of several files
$B/tools/faults: $(call objects,test/faults)

define tool
$B/tools/$(notdir $(1:.c=)): $B/obj/$(1:.c=.o)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))

$(TOOL_PROGRAMS) $B/tools/faults:
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(MNL) $(JANSSON)

# how addrpool and host-local grow with the number of leases
bench-pool:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/pool

# how fast nodes get addresses of a pool that they share: BENCH="-e etcd -s 16 -n 10"
bench-cluster:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/cluster $(BENCH)


# how long ADD, DEL, CHECK and VERSION take, beside the Go plugins and the least possible: BENCH=-q
BENCHED = ipvlan addrpool tools/floor tools/order-times
bench:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory static STATIC_PROGRAMS='$(BENCHED:%=$B/static/%)'
	$(Q)BUILD=$B test/bench/order $(BENCH)

.PHONY: tools bench bench-pool bench-cluster
