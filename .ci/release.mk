# SPDX-License-Identifier: Apache-2.0
# What is given to others, below $B/release.
#
#   make dist    a tarball of static binaries, man pages, documentation and examples, and its SHA256
#   make deb     the Debian package, about which lintian reports nothing
#   make release all of them from a commit: binaries, image, Debian package, man pages, sources, notes, SHA256SUMS

RELEASE = $B/release/ipvlan-cni-$(VERSION)-linux-$(shell uname -m)

# The pages with their pictures, and what they link to; each in its directory, where links look for it.
DOCS = $(sort $(wildcard *.md plugin/*.md plugin/pictures/*.svg ipam/*.md test/*.md test/*/*.md test/bench/results/*.svg test/oracle/*differences.json))

dist: static $(PAGES)
	@rm -rf $(RELEASE) && mkdir -p $(RELEASE)/bin
	@cp $(STATIC_PROGRAMS) $(RELEASE)/bin
	@cp -r LICENSE $B/man conf-examples $(RELEASE)
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

.PHONY: dist install-docs deb release release-parts test-release
