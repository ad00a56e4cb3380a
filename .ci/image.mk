# SPDX-License-Identifier: Apache-2.0
# make image: $B/image.tar, an OCI image layout with an image for each architecture: all static programs, and one that
# copies ipvlan and addrpool to a directory of the node. It requires no container runtime and no registry.

IMAGE = localhost/ipvlan-cni:$(VERSION)
IMAGE_ARCHITECTURES ?= $(ARCHITECTURES)
IMAGE_PROGRAMS = $(PROGRAMS) install-plugins

$B/install-plugins: $(call objects,.ci/image)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

image:
	+@for arch in $(IMAGE_ARCHITECTURES); do $(MAKE) --no-print-directory image-files ARCH=$$arch || exit 1; done
	$(Q).ci/pack-oci $(IMAGE) $B/image.tar $(foreach a,$(IMAGE_ARCHITECTURES),$a=$B/image-$a) -- /install-plugins /host/opt/cni/bin
	@echo "$B/image.tar: $(IMAGE) for $(IMAGE_ARCHITECTURES)"

image-files:
	@$(MAKE) --no-print-directory static STATIC_PROGRAMS='$(IMAGE_PROGRAMS:%=$(STATIC_DIR)/%)'
	@rm -rf $B/image-$(ARCH) && mkdir $B/image-$(ARCH) && cp $(IMAGE_PROGRAMS:%=$(STATIC_DIR)/%) $B/image-$(ARCH)

.PHONY: image image-files
