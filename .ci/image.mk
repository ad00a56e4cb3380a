# SPDX-License-Identifier: Apache-2.0
# make image: $B/image.tar, an OCI image layout with an image of all static programs for each architecture, whose process is
# ipvlan-node. It requires no container runtime and no registry.

IMAGE = localhost/ipvlan-cni:$(VERSION)
IMAGE_ARCHITECTURES ?= $(ARCHITECTURES)

image:
	+@for arch in $(IMAGE_ARCHITECTURES); do $(MAKE) --no-print-directory image-files ARCH=$$arch || exit 1; done
	$(Q).ci/pack-oci $(IMAGE) $B/image.tar $(foreach a,$(IMAGE_ARCHITECTURES),$a=$B/image-$a) -- /ipvlan-node
	@echo "$B/image.tar: $(IMAGE) for $(IMAGE_ARCHITECTURES)"

image-files:
	@$(MAKE) --no-print-directory static
	@rm -rf $B/image-$(ARCH) && mkdir $B/image-$(ARCH) && cp $(STATIC_OURS) $B/image-$(ARCH)

.PHONY: image image-files
