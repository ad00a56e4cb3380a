# SPDX-License-Identifier: Apache-2.0
# What is given to others, below $B/release.
#
#   make dist    a tarball of static binaries, man pages, documentation and examples, and its SHA256
#   make deb     the Debian package, which lintian has nothing to say about

RELEASE = $B/release/ipvlan-cni-$(VERSION)-linux-$(shell uname -m)

# The pages with their pictures, and what they link to; each in its directory, where links look for it.
DOCS = $(sort $(wildcard *.md plugin/*.md plugin/pictures/*.svg ipam/*.md test/*.md test/*/*.md test/bench/results/*.svg test/oracle/*differences.json))

dist: static
	@rm -rf $(RELEASE) && mkdir -p $(RELEASE)/bin
	@cp $(STATIC_PROGRAMS) $(RELEASE)/bin
	@cp -r LICENSE man conf-examples $(RELEASE)
	@$(MAKE) --no-print-directory install-docs DOCDIR=$(RELEASE)
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C $B/release -cf - $(notdir $(RELEASE)) | gzip -n >$(RELEASE).tar.gz
	@cd $B/release && sha256sum $(notdir $(RELEASE)).tar.gz >$(notdir $(RELEASE)).tar.gz.sha256 && cat $(notdir $(RELEASE)).tar.gz.sha256

install-docs:
	@mkdir -p $(DOCDIR) && cp --parents $(DOCS) $(DOCDIR)

deb:
	$(Q)test/install-deps build deb
	$(Q).ci/pack-deb $(VERSION) $B/release

.PHONY: dist install-docs deb
