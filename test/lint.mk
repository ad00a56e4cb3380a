# SPDX-License-Identifier: Apache-2.0
# make lint: checks of the source by tools that do not run it.

lint:
	$(Q)test/install-deps build lint test
	$(Q)test/lint

.PHONY: lint
