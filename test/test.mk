# The targets that run the programs. Each installs what it needs that is missing.

demo:
	$(Q)test/install-deps build demo
	@$(MAKE) --no-print-directory all
	$(Q)BUILD=$B test/demo/run

# make test [FILES="test/plugin/del.bats …"]: what the programs do, with Debian's packages alone
test:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools unit
	$(Q)BUILD=$B test/suite $(or $(FILES),-q)

# and whether that holds: beside the Go plugins, killed or failed at each system call, under load, on many nodes
test-deep:
	$(Q)test/install-deps build test deep
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/suite -d

# with what comes from the Go module proxy as well: cnitool, and Kubernetes' API server
test-all: test test-deep
	$(Q)CNITOOL=$$(test/oracle/get-cnitool) && export CNITOOL && BUILD=$B test/suite test/cnitool
	$(Q)test/cluster/get-kubernetes >/dev/null && CLUSTER=kubernetes BUILD=$B test/suite test/cluster/blocks.bats test/cluster/load.bats test/kubernetes

# real runtimes: Podman, containerd by ctr and as Kubernetes calls it, Multus, a node of Kubernetes; and
# other plugins behind ours. In a guest, since they mount and have control groups; what they need is
# fetched and kept in the cache.
test-runtimes:
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all image
	$(Q)test/runtimes/get-multus >/dev/null && test/cluster/get-kubernetes >/dev/null
	$(Q)test/runtimes/get-runtimes >/dev/null && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite $(or $(FILES),test/runtimes test/plugin/neighbours.bats)

# the Debian package, installed on a fresh Debian
test-packages: deb
	$(Q)test/install-deps build test
	$(Q)test/packages/get-debian >/dev/null && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/packages

# which lines the tests run: those of `make test`, and of clusters and waiting. Left to itself the
# compiler has a child that shares our memory write down the counts before it becomes another
# program, and us never again.
C = build-coverage
COUNT = -Og -g --coverage -fprofile-update=atomic -fno-builtin-execve
coverage:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory B=$C CFLAGS="$(COUNT)" LDFLAGS=--coverage all tools unit
	$(Q)rm -rf $C/runs && mkdir $C/runs
	$(Q)COVERAGE=$(CURDIR)/$C/runs BUILD=$C test/suite -q test/slow $(wildcard test/cluster/[abce]*.bats); \
		status=$$?; BUILD=$C test/coverage $C/runs && exit $$status

# on every kernel that has what pods can need: our own, and in QEMU Debian's, which takes an hour.
# Debian's own UML kernel, good enough for the demonstration, has no NAT.
KERNELS = uml qemu-6.1 qemu-6.12
test-kernels:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)for k in $(KERNELS); do echo "== kernel $$k"; KERNEL=$$k BUILD=$B test/suite -q || exit 1; done

.PHONY: demo test test-deep test-all test-runtimes test-packages test-kernels coverage
