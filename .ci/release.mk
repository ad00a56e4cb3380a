# SPDX-License-Identifier: Apache-2.0
# What is given to others, below $B/release.
#
#   make dist    for each architecture a tarball of static programs, install and uninstall, SBOM, man pages, documentation
#                and examples, and its SHA256
#   make deb     the Debian package, about which lintian reports nothing
#   make release all of them from a commit: binaries, image, Debian package, man pages, sources, notes, SHA256SUMS

DIST_ARCHITECTURES ?= $(ARCHITECTURES)
MACHINE = $(patsubst %-linux-gnu-,%,$(STATIC_TOOL))
RELEASE = $B/release/ipvlan-cni-$(VERSION)-linux-$(MACHINE)
COMMIT_TIME = $(or $(shell $(GIT) log -1 --format=%ct 2>/dev/null),0)

# The pages with their pictures, and what they link to; each in its directory, where links look for it.
DOCS = $(sort $(wildcard *.md plugin/*.md plugin/pictures/*.svg ipam/*.md test/*.md test/*/*.md test/bench/results/*.svg test/oracle/*differences.json))

dist:
	@$(MAKE) --no-print-directory static
	+@for arch in $(DIST_ARCHITECTURES); do $(MAKE) --no-print-directory tarball ARCH=$$arch || exit 1; done

# by the programs of this machine, whatever those in the tarball are for
$B/static/completion.%: $B/static/ipvlanctl
	$(Q)$< completion $* >$@

tarball: static $(PAGES) $(SHELLS:%=$B/static/completion.%)
	@rm -rf $(RELEASE) && mkdir -p $(RELEASE)/bin $(RELEASE)/man $(RELEASE)/share
	@cp $(STATIC_OURS) $(RELEASE)/bin
	@cp $(PAGES) $(RELEASE)/man
	@cp $(SHELLS:%=$B/static/completion.%) plugin/node/ipvlan-node.service $(RELEASE)/share
	@cp .ci/dist/install $(RELEASE) && ln -s install $(RELEASE)/uninstall
	@cp -r LICENSE conf-examples $(RELEASE) && cp -r "$$(test/musl-libraries $(ARCH))/copyright" $(RELEASE)/licenses
	@SOURCE_DATE_EPOCH=$(COMMIT_TIME) .ci/sbom ipvlan-cni $(VERSION) $(ARCH) $(STATIC_DIR) >$(RELEASE)/sbom.spdx.json
	@$(MAKE) --no-print-directory install-docs DOCDIR=$(RELEASE)
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C $B/release -cf - $(notdir $(RELEASE)) | gzip -n >$(RELEASE).tar.gz
	@cd $B/release && sha256sum $(notdir $(RELEASE)).tar.gz >$(notdir $(RELEASE)).tar.gz.sha256 && cat $(notdir $(RELEASE)).tar.gz.sha256

install-docs:
	@mkdir -p $(DOCDIR) && cp --parents $(DOCS) $(DOCDIR)

deb:
	$(Q)test/install-deps build deb
	$(Q).ci/pack-deb $(VERSION) $B/release

# Only a commit is released whose CHANGELOG.md has the version.
release:
	$(Q).ci/release check $(VERSION)
	$(Q)rm -rf $B/release
	@$(MAKE) --no-print-directory dist
	@$(MAKE) --no-print-directory image
	@$(MAKE) --no-print-directory deb
	@$(MAKE) --no-print-directory release-parts

# the parts that require no compiler
release-parts: $(PAGES)
	$(Q).ci/release collect $(VERSION) $B

# The whole release, made from a clone of the commit, holds what it promises.
test-release:
	$(Q)test/install-deps build test
	$(Q)rm -rf $B/clone && git clone -q . $B/clone && $(MAKE) --no-print-directory -C $B/clone B=build release
	$(Q)RELEASE=$(abspath $B/clone/build/release) bats --tap test/project/whole-release.bats

.PHONY: dist tarball install-docs deb release release-parts test-release
