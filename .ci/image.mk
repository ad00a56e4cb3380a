# SPDX-License-Identifier: Apache-2.0
# make image: $B/image.tar, an OCI image layout of the static programs and of one that copies them to a directory
# of the node. It requires no container runtime and no registry. addrpool-claim is not in it, since it requires
# libcurl: these programs, like the tarball's, require no library.

IMAGE = localhost/ipvlan-cni:$(VERSION)
IMAGE_PROGRAMS = $(STATIC_PLUGINS) $B/static/install-plugins

$B/install-plugins: $(call objects,.ci/image)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

image:
	@$(MAKE) --no-print-directory static STATIC_PROGRAMS='$(IMAGE_PROGRAMS)'
	@rm -rf $B/image && mkdir $B/image && cp $(IMAGE_PROGRAMS) $B/image
	$(Q).ci/pack-oci $B/image $(IMAGE) $B/image.tar /install-plugins /host/opt/cni/bin
	@echo "$B/image.tar: $(IMAGE)"

.PHONY: image
