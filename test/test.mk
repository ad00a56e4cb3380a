# SPDX-License-Identifier: Apache-2.0
# The targets that run the programs. Each installs its requirements.

demo:
	$(as_root)
	$(Q)test/install-deps build demo
	@$(MAKE) --no-print-directory all
	$(Q)BUILD=$B test/demo/run

# make test [FILES="test/plugin/del.bats …"] [F='a part of a name']: tests of the programs, with only Debian's
# packages; FILES: without the C tests; F: only the tests whose names have it
test:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools $(if $(FILES),,unit)
	$(Q)F='$(F)' BUILD=$B test/suite $(or $(FILES),-q)

# more tests: compared with the Go plugins, killed or failed at each system call, under load, on many nodes
test-deep:
	$(as_root)
	$(Q)test/install-deps build test deep
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$B test/suite -d

# every case of which test-deep takes a sample, and copies of the programs with one wrong line: hours
test-every-case:
	$(as_root)
	$(Q)test/install-deps build test deep
	@$(MAKE) --no-print-directory all tools
	$(Q)STEP=1 OPERATIONS=20000 BUILD=$B test/suite test/faults test/events test/broken test/load test/traced test/cluster/routes.bats test/plugin/at-once.bats test/plugin/status-matrix.bats

# also with programs from the Go module proxy: the Go plugins' newest version, cnitool, Kubernetes' API server, and
# actionlint for .github/workflows; two at a time, since most have one file
GO_NEWEST = 1.10.0
test-all: test test-deep
	@$(MAKE) --no-print-directory -k -j2 test-kubernetes test-go-newest test-cnitool test-workflows

# once, for those that run beside each other
built:
	$(as_root)
	$(Q)test/install-deps build test deep
	@$(MAKE) --no-print-directory all tools

test-go-newest: built
	$(Q)test/oracle/get-plugins $(GO_NEWEST) >/dev/null && GO_VERSION=$(GO_NEWEST) STEP=3 JOBS=1 BUILD=$B test/suite test/oracle

test-cnitool: built
	$(Q)CNITOOL=$$(test/oracle/get-cnitool) && export CNITOOL && JOBS=1 BUILD=$B test/suite test/cnitool

test-workflows: built
	$(Q)test/project/get-actionlint >/dev/null && JOBS=1 BUILD=$B test/suite test/project/workflows.bats

test-kubernetes: built
	$(Q)test/cluster/get-kubernetes >/dev/null && CLUSTER=kubernetes JOBS=2 BUILD=$B test/suite test/cluster/blocks.bats test/cluster/identities.bats test/cluster/lost-blocks.bats test/cluster/signs.bats test/cluster/tidy.bats test/cluster/load.bats test/kubernetes

# the manifests and the chart of conf-examples/kubernetes, by kube-apiserver and Helm, which come from the Go module proxy
test-manifests: built
	$(Q)test/cluster/get-kubernetes >/dev/null && test/manifests/get-helm >/dev/null && \
		BUILD=$(abspath $B) unshare -n sh -c "ip link set lo up && exec bats --tap test/manifests"

# real runtimes: Podman, containerd by ctr and as Kubernetes calls it, Multus, a node of Kubernetes; a short story of
# three nodes; and other plugins after ours. In a guest, since they use mounts and control groups. The cache keeps their packages.
PODMANS = trixie sid
RUNTIME_FILES = $(filter-out test/runtimes/netavark-% test/runtimes/set-up.bats,$(wildcard test/runtimes/*.bats)) $(PODMANS:%=test/runtimes/netavark-%.bats) test/plugin/neighbours.bats test/nodes/nodes.bats
test-runtimes:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all image IMAGE_ARCHITECTURES=$(HOST_ARCH)
	$(Q)test/runtimes/get-multus >/dev/null && test/cluster/get-kubernetes >/dev/null
	$(Q)for suite in $(PODMANS); do test/runtimes/get-podman $$suite >/dev/null || exit 1; done
	$(Q)test/runtimes/get-runtimes >/dev/null && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite $(or $(FILES),$(RUNTIME_FILES))

# a node of Kubernetes from `kubectl apply -k` to `kubectl delete -k`, with an upgrade to another version
test-set-up:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all image IMAGE_ARCHITECTURES=$(HOST_ARCH)
	@$(MAKE) --no-print-directory B=$B/next VERSION=99.0.0 image IMAGE_ARCHITECTURES=$(HOST_ARCH)
	$(Q)test/cluster/get-kubernetes >/dev/null && test/runtimes/get-runtimes >/dev/null && test/manifests/get-helm >/dev/null && \
		KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/runtimes/set-up.bats

# a cluster of three nodes in one guest: PODS is the number of its pods
PODS = 12
test-cluster:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all image IMAGE_ARCHITECTURES=$(HOST_ARCH)
	@$(MAKE) --no-print-directory B=$B/next VERSION=99.0.0 image IMAGE_ARCHITECTURES=$(HOST_ARCH)
	$(Q)test/cluster/get-kubernetes >/dev/null && test/conformance/get-coredns >/dev/null
	$(Q)test/runtimes/get-runtimes >/dev/null && STEP=1 PODS=$(PODS) KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/nodes/nodes.bats

# identities that move between three machines: MOVES starts of pods; SEED chooses what happens
MOVES = 1000
test-moves:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all static
	$(Q)test/cluster/get-kubernetes >/dev/null
	$(Q)test/runtimes/get-runtimes >/dev/null && STEP=1 MOVES=$(MOVES) SEED=$(SEED) KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/nodes/many-moves.bats

# Kubernetes' own tests of networking and critest's: test/conformance/README.md. FOCUS='a regular expression': some of them
test-conformance:
	$(as_root)
	$(Q)test/install-deps build test runtimes
	@$(MAKE) --no-print-directory all
	$(Q)BUILD=$B test/conformance/run $(if $(FOCUS),'$(FOCUS)')

# the Debian package: made on a fresh Debian, and installed there
test-packages: deb
	$(as_root)
	$(Q)test/install-deps build test packages
	$(Q)for suite in bookworm trixie; do test/packages/get-debian $$suite >/dev/null || exit 1; done && KERNEL=$${KERNEL:-uml} BUILD=$B test/suite test/packages test/project/fresh-debian.bats

# simulates nodes that share a pool, with faults of theirs and of etcd, by seed: test/sim/README.md
SEED = 1
STEPS = 10000
COUNTED = 60
# FAST=1: with the static programs, which start several times as fast
SIM = $(if $(FAST),--programs $B/static) $(if $(CONCURRENT),--concurrent) $(if $(WITHOUT),--without $(WITHOUT)) $(if $(KILLS),--kills $(KILLS))
sim:
	$(as_root)
	$(Q)test/install-deps build sim
	@$(MAKE) --no-print-directory all tools
	@$(if $(FAST),$(MAKE) --no-print-directory static STATIC_PROGRAMS='$B/static/addrpool $B/static/addrpool-claim')
	$(Q)bats test/sim/check.bats >&2 && test/sim/run --seed $(SEED) --steps $(STEPS) --counted $(COUNTED) $(SIM) $B

# simulates named workloads that move between nodes, by seed, with etcd or CLUSTER=kubernetes: test/sim/README.md
MOVES = 1000
sim-identities:
	$(as_root)
	$(Q)test/install-deps build sim
	@$(MAKE) --no-print-directory all
	$(Q)test/sim/identities --seed $(SEED) --moves $(MOVES) $B

# copies of the programs with one wrong line: the simulation finds each
sim-broken:
	$(as_root)
	$(Q)test/install-deps build sim
	@$(MAKE) --no-print-directory all tools
	$(Q)BUILD=$(abspath $B) COUNTED=$(COUNTED) WITHOUT=$(WITHOUT) bats --tap test/sim/broken.bats | awk '{ print } /^ok/ { p++ } /^not ok/ { f++ } \
		END { printf "%d passed, %d failed\n", p, f; exit f || !p }'

# which lines the tests run: `make test`, clusters and timeouts. Without -fno-builtin-execve a child that shares our
# memory would write the counts before it runs another program, and our process would not write them again.
C = build-coverage
COUNT = -Og -g --coverage -fprofile-update=atomic -fno-builtin-execve
coverage:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory B=$C CFLAGS="$(COUNT)" LDFLAGS=--coverage all tools unit
	$(Q)rm -rf $C/runs && mkdir $C/runs
	$(Q)COVERAGE=$(CURDIR)/$C/runs BUILD=$C test/suite -q test/slow $(wildcard test/cluster/[abce]*.bats); \
		status=$$?; BUILD=$C test/coverage $C/runs && exit $$status

# every state of a model of the shared pool's protocol: test/model/README.md
model:
	$(Q)test/install-deps model
	$(Q)test/model/run

# on each kernel with all features: ours, and in QEMU those of Debian 11 to 13. It takes hours.
# Debian's UML kernel, which suffices for the demonstration, has no NAT.
KERNELS = uml qemu-5.10 qemu-6.1 qemu-6.12
test-kernels:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory all tools
	$(Q)for k in $(KERNELS); do echo "== kernel $$k"; KERNEL=$$k BUILD=$B test/suite -q || exit 1; done

# what the code relies on in the kernel, a line each: test/kernel/README.md
facts:
	$(as_root)
	$(Q)test/install-deps build test
	@$(MAKE) --no-print-directory tools
	$(Q)BUILD=$B test/kernel/run -t 900 -- test/kernel/facts/run

.PHONY: demo facts test test-deep test-every-case test-all built test-go-newest test-cnitool test-workflows test-kubernetes test-runtimes test-set-up test-cluster test-moves test-conformance test-packages test-kernels coverage model sim sim-identities sim-broken
