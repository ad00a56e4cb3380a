# Programs that tests call, not the product: test/DIRECTORY/NAME.c is $B/tools/NAME.

TOOLS = $(wildcard test/load/*.c test/bench/*.c)
TOOL_PROGRAMS = $(patsubst %,$B/tools/%,$(notdir $(TOOLS:.c=)))

tools: $(TOOL_PROGRAMS)

define tool
$B/tools/$(notdir $(1:.c=)): $B/obj/$(1:.c=.o)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))

$(TOOL_PROGRAMS):
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(JANSSON)

# how addrpool and host-local grow with the number of leases
bench-pool:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/bench/pool

.PHONY: tools bench-pool
