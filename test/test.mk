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

# real runtimes: Podman, containerd by ctr and as Kubernetes calls it. In a guest, since they mount and
# have control groups; what they need is fetched and kept in the cache.
test-runtimes:
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all
	$(Q)test/runtimes/get-runtimes >/dev/null && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite $(or $(FILES),test/runtimes)

# the Debian package, installed on a fresh Debian
test-packages: deb
	$(Q)test/install-deps build test
	$(Q)test/packages/get-debian >/dev/null && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/packages

# the suite on every kernel that we know: our own and Debian's
KERNELS = uml prebuilt qemu-6.1 qemu-6.12
test-kernels:
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)for k in $(KERNELS); do echo "== kernel $$k"; KERNEL=$$k BUILD=$B test/suite || exit 1; done

.PHONY: demo test test-deep test-all test-runtimes test-packages test-kernels
