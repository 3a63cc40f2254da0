# SPDX-License-Identifier: MIT
# Packages; part of the Makefile. They are made of the last commit, as it goes out in the tarball.

TARBALL = $(B)/tincan-$(VERSION).tar.gz

# The same bytes each time from the same commit, whatever the user's umask and git's settings are.
dist: check-version ## a source tarball of the last commit
	@mkdir -p $(B)
	git -c tar.umask=0022 archive --prefix=tincan-$(VERSION)/ -o $(TARBALL:.gz=) HEAD
	gzip -n9f $(TARBALL:.gz=)

check-version: ## that all files say the same version
	packaging/check-version

distcheck: dist ## builds, tests, installs, uninstalls and cleans from that tarball
	packaging/distcheck $(TARBALL)

reprocheck: ## makes tarball and packages twice, under unlike conditions, and compares
	packaging/reprocheck $(B)/repro

# Without the packages of debugging symbols, which `apt install ./build/deb/tincan*.deb` would install.
deb: dist ## Debian packages of the last commit, in build/deb
	DEB_BUILD_OPTIONS="$${DEB_BUILD_OPTIONS-noautodbgsym}" packaging/build-deb $(TARBALL) $(B)/deb

rpm arch alpine: dist ## packages for those systems, as far as they can be built here
	packaging/build-$@ $(TARBALL) $(B)/$@

sbom: dist ## a list of what is in the tarball, and linked to it, as SPDX
	packaging/sbom $(TARBALL) > $(TARBALL:.tar.gz=.spdx.json)

check-packages: ## all of them: built in clean roots, installed in booted ones; needs root
	tests/packages/run $(SUITES)

pictures: units/connection.svg handler/exchange.svg ## the documents' pictures, from the drawings beside them
%.svg: %.txt packaging/draw
	packaging/draw $< > $@

.PHONY: dist check-version distcheck reprocheck deb rpm arch alpine sbom check-packages pictures
