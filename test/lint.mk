# SPDX-License-Identifier: Apache-2.0
# make lint: what tools can say about the source without running it.

lint:
	$(Q)test/install-deps build lint test
	$(Q)test/lint

.PHONY: lint
