# The targets that run the programs. Each installs what it needs that is missing.

demo:
	$(Q)test/install-deps build demo
	@$(MAKE) --no-print-directory all
	$(Q)BUILD=$B test/demo/run

# make test [FILES="test/plugin/del.bats …"]: everything that Debian's packages alone can test
test:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all check
	$(Q)BUILD=$B test/suite $(FILES)

.PHONY: demo test
