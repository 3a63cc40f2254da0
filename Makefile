# SPDX-License-Identifier: MIT
# tincan: `make help` lists the targets. CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's.

VERSION = 0.1.0

prefix      = /usr/local
exec_prefix = $(prefix)
bindir      = $(exec_prefix)/bin
sbindir     = $(exec_prefix)/sbin
sysconfdir  = $(prefix)/etc
datarootdir = $(prefix)/share
mandir      = $(datarootdir)/man
docdir      = $(datarootdir)/doc/tincan
unitdir     = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
xinetddir   = $(sysconfdir)/xinetd.d
bashcompletiondir = $(datarootdir)/bash-completion/completions
zshcompletiondir  = $(datarootdir)/zsh/site-functions
fishcompletiondir = $(datarootdir)/fish/vendor_completions.d

# Who runs what systemd starts.
user = tincan

INSTALL         = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA    = $(INSTALL) -m 644
PKG_CONFIG      = pkg-config

CFLAGS = -O2 -g
B      = build
U      = $(B)/units

# What tincan itself needs to be compiled, apart from what the user asks for.
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
OWN      = -std=gnu11 -D_GNU_SOURCE -DTINCAN_VERSION='"$(VERSION)"' -I. $(WARNINGS)
HARDEN   = -fstack-protector-strong
COMPILE  = $(OWN) $(CPPFLAGS) $(HARDEN) $(CFLAGS) -MMD -MP
LINK     = $(CFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)

# The handler is one process per connection, so its start-up time is its speed: static, with musl
# where that is found (HANDLER_CC and HANDLER_LDFLAGS choose otherwise).
HANDLER_CC      := $(shell command -v musl-gcc 2>/dev/null || echo $(CC))
HANDLER_LDFLAGS  = -static

# The handler's sandbox: seccomp where there is a list of system calls for the machine, else none.
# musl's headers lack the kernel's, which gcc knows where to find: behind all others.
SANDBOX        := $(if $(filter x86_64-% aarch64-%,$(shell $(HANDLER_CC) -dumpmachine)),seccomp,none)
HANDLER_CFLAGS := $(if $(findstring musl,$(HANDLER_CC)),-idirafter /usr/include \
                    -idirafter /usr/include/$(shell $(HANDLER_CC) -dumpmachine))

# The client edits lines with libedit where that is found; LIBEDIT=no builds without.
LIBEDIT     := $(shell $(PKG_CONFIG) --exists libedit 2>/dev/null && echo yes || echo no)
LINE         = $(if $(filter yes,$(LIBEDIT)),client/talk/line_edit.c,client/talk/line_plain.c)
EDIT_CFLAGS  = $(if $(filter yes,$(LIBEDIT)),$(shell $(PKG_CONFIG) --cflags libedit))
EDIT_LIBS    = $(if $(filter yes,$(LIBEDIT)),$(shell $(PKG_CONFIG) --libs libedit))

# tincand is what libsystemd is for; without it, only the rest is built.
LIBSYSTEMD     := $(shell $(PKG_CONFIG) --exists libsystemd 2>/dev/null && echo yes || echo no)
SYSTEMD_CFLAGS  = $(shell $(PKG_CONFIG) --cflags libsystemd)
SYSTEMD_LIBS    = $(shell $(PKG_CONFIG) --libs libsystemd)
TINCAND         = $(if $(filter yes,$(LIBSYSTEMD)),$(B)/tincand,no-tincand)

# What all three programs share: the protocol, and texts and quantities as users see them.
SHARED      = $(addprefix common/,clock.c frame.c quantity.c text.c)
HANDLER_SRC = $(SHARED) $(addprefix common/,sockaddr.c tag.c) $(addprefix handler/,tincan-handler.c deadline.c exchange.c launch.c \
                log.c peer.c result.c settings.c sandbox_$(SANDBOX).c)
TINCAND_SRC = $(SHARED) $(addprefix common/,address.c sockaddr.c streams.c tag.c) \
                $(addprefix handler/,deadline.c launch.c log.c peer.c result.c settings.c) $(sort $(wildcard tincand/*.c))
CLIENT_SRC  = $(SHARED) $(addprefix common/,address.c sockaddr.c streams.c tag_parse.c utf8.c) $(LINE) \
                $(filter-out client/talk/line_%,$(sort $(wildcard client/*.c client/*/*.c)))
UNITS       = $(patsubst units/%.in,$(U)/%,$(wildcard units/*/*.in units/*/examples/*.in)) \
                $(U)/systemd/tincand@.service
EXAMPLES    = $(filter $(U)/inetd/% $(U)/ucspi/%,$(UNITS))
TINCAND_UNITS = $(filter $(U)/systemd/tincand%,$(UNITS))
DROP_INS    = $(filter-out $(NOT_BUILT),$(filter $(U)/systemd/examples/%,$(UNITS)))
NOT_BUILT   = $(if $(filter yes,$(LIBSYSTEMD)),,$(U)/systemd/examples/tincand-%)

# The systemd that the units are for, which may not know all keys: 255, say, or nothing.
SYSTEMD_VERSION := $(shell $(PKG_CONFIG) --modversion systemd 2>/dev/null || \
                     systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
HAS_POLL_LIMIT   = $(shell test "$(firstword $(subst ., ,$(SYSTEMD_VERSION)))" -ge 255 2>/dev/null && echo yes)
LAUNCHERS   = direct pipe systemd-inetd systemd-native xinetd openbsd-inetd inetutils-inetd \
                tcpserver s6-ipcserver socat ncat tincand tincand-unix tincand-systemd \
                tincand-xinetd tincand-openbsd-inetd tincand-inetutils-inetd

HANDLER_OBJ = $(HANDLER_SRC:%.c=$(B)/obj/handler/%.o)
TINCAND_OBJ = $(TINCAND_SRC:%.c=$(B)/obj/tincand/%.o)
CLIENT_OBJ  = $(CLIENT_SRC:%.c=$(B)/obj/client/%.o)

all: $(B)/tincan-handler $(B)/tincan $(TINCAND) $(UNITS)

$(B)/tincan-handler: $(HANDLER_OBJ)
	@echo "tincan-handler: linked with $(HANDLER_CC) $(HANDLER_LDFLAGS), sandbox: $(SANDBOX)"
	$(HANDLER_CC) $(LINK) $(HANDLER_LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tincand: $(TINCAND_OBJ)
	$(CC) $(LINK) -pthread -o $@ $^ $(SYSTEMD_LIBS) $(LDLIBS)

no-tincand:
	@echo 'tincand: left out, as pkg-config finds no libsystemd (Debian: libsystemd-dev)'

$(B)/tincan: $(CLIENT_OBJ)
	@echo "tincan: line editing with libedit: $(LIBEDIT)"
	$(CC) $(LINK) -o $@ $^ $(EDIT_LIBS) -lm $(LDLIBS)

$(B)/obj/handler/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(HANDLER_CC) $(COMPILE) $(HANDLER_CFLAGS) -c -o $@ $<

$(B)/obj/tincand/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(SYSTEMD_CFLAGS) -pthread -c -o $@ $<

$(B)/obj/client/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(EDIT_CFLAGS) -c -o $@ $<

# Units name the installed programs, so they are made again when those are to go elsewhere.
$(U)/%: units/%.in $(U)/names Makefile
	@mkdir -p $(@D)
	sed -e 's|@sbindir@|$(sbindir)|g; s|@user@|$(user)|g' $< > $@

# One of several instances is as the only one is, but for its name and its socket.
$(U)/systemd/tincand@.service: $(U)/systemd/tincand.service
	sed -e 's|tincand\.socket|tincand@%i.socket|; s|^Description=.*|&, instance %i|' $< > $@

$(U)/names: FORCE
	@mkdir -p $(@D)
	@echo '$(sbindir) $(user)' | cmp -s - $@ || echo '$(sbindir) $(user)' > $@

# Tests. `make check FILES=tests/handler.bats` runs one file of them. What tests run of make gets the
# variables of this one through MAKEFLAGS, so it finds the programs up to date.

check: all check-programs
	TINCAN_BUILD=$(abspath $(B)) tests/run $(FILES)

# Without libsystemd there is no tincand to make hang.
HANG = $(if $(filter yes,$(LIBSYSTEMD)),$(B)/tests/tincand-hang)

check-programs: $(B)/bench/load $(B)/tests/frame-test $(B)/tests/probe-test $(B)/tests/tincan-handler-breakout $(HANG) $(B)/tests/deny $(LAUNCHERS:%=$(B)/tests/launcher-%.bats)

$(B)/tests/frame-test: tests/frame-test.c $(SHARED) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LDFLAGS) -o $@ tests/frame-test.c $(SHARED) $(LDLIBS)

PROBE_TEST_SRC = tests/probe-test.c $(addprefix client/,report/histogram.c pattern.c probe/culprit.c probe/alter_text.c probe/alter_bytes.c) $(SHARED)
$(B)/tests/probe-test: $(PROBE_TEST_SRC) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LDFLAGS) -o $@ $(PROBE_TEST_SRC) -lm $(LDLIBS)

$(B)/tests/tincan-handler-breakout: tests/breakout.c $(HANDLER_OBJ) Makefile
	@mkdir -p $(@D)
	$(HANDLER_CC) $(filter-out -MMD -MP,$(COMPILE)) $(HANDLER_CFLAGS) $(LINK) $(HANDLER_LDFLAGS) \
	    -Wl,--wrap=frame_feed -o $@ tests/breakout.c $(HANDLER_OBJ) $(LDLIBS)

# What `make` builds where there is no musl.
$(B)/tests/tincan-handler-glibc: $(HANDLER_SRC) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LINK) -static -o $@ $(HANDLER_SRC) $(LDLIBS)

$(B)/tests/tincand-hang: tests/hang.c $(TINCAND_OBJ) Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LINK) -pthread -Wl,--wrap=frame_feed -o $@ \
	    tests/hang.c $(TINCAND_OBJ) $(SYSTEMD_LIBS) $(LDLIBS)

$(B)/tests/deny: tests/deny.c Makefile
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LDFLAGS) -o $@ tests/deny.c $(LDLIBS)

$(B)/tests/launcher-%.bats: tests/launcher.bats.in Makefile
	@mkdir -p $(@D)
	sed -e 's|@LAUNCHER@|$*|g' -e 's|@TESTS@|$(CURDIR)/tests|g' $< > $@

# The same suite on programs that watch themselves. The cases of small memory limits and of the
# sandbox are left to what ships: a sanitizer needs terabytes of address space, and all system calls.
# So are most launchers, which see the same program from outside.
SANITIZED = $(wildcard tests/*.bats) $(patsubst %,build/sanitized/tests/launcher-%.bats, \
              direct tcpserver tincand tincand-unix tincand-xinetd)
check-sanitized: FILES = $(SANITIZED)
check-sanitized:
	TESTS_TITLE=sanitized $(MAKE) check B=build/sanitized HANDLER_CC='$(CC)' HANDLER_LDFLAGS= HARDEN= \
	    SANDBOX=none FILES="--filter-tags '!limits,!sandbox' $(FILES)" \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'

# The installed units in booted Debian systems, with systemd as PID 1; needs root.
TINCAN_FLOOD = 5000
check-systemd: all check-programs $(B)/tests/tincan-handler-glibc
	TINCAN_FLOOD=$(TINCAN_FLOOD) tests/systemd/run $(SUITES)

# What each hardening directive costs a connection, in the same systems.
bench-units: all check-programs
	tests/systemd/run --prices

lint:
	tests/lint

# What one connection costs, as ratios to a static program of three system calls.
ROUNDS = 500
bench: all $(B)/bench/spawn $(B)/bench/floor $(B)/bench/handler-dynamic
	$(B)/bench/spawn $(ROUNDS) $(B)/bench/floor $(B)/tincan-handler \
	    '$(B)/tincan-handler --no-sandbox' $(B)/bench/handler-dynamic /bin/cat
	$(B)/bench/spawn $(ROUNDS) '$(B)/tincan-handler --no-sandbox' $(B)/tincan-handler

# What a flood of probes costs, as a ratio to a loop that only counts, at the same server.
bench-flood: all $(B)/bench/load $(B)/bench/bare
	tests/bench/flood

# The persistent server beside a bare epoll loop and a thread per connection; and its memory.
bench-tincand: all $(B)/bench/load $(B)/bench/bare
	tests/bench/daemon

bench-memory: all $(B)/bench/load
	tests/bench/memory

$(B)/bench/spawn $(B)/bench/load $(B)/bench/bare: $(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(COMPILE)) $(LDFLAGS) -o $@ $<

$(B)/bench/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(HANDLER_CC) $(OWN) $(CFLAGS) $(HANDLER_LDFLAGS) -o $@ $<

$(B)/bench/handler-dynamic: $(HANDLER_SRC)
	@mkdir -p $(@D)
	$(CC) $(OWN) $(CFLAGS) -o $@ $^

install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(DESTDIR)$(unitdir) \
	    $(DESTDIR)$(xinetddir) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man8 \
	    $(DESTDIR)$(sysusersdir) $(DESTDIR)$(docdir)/examples/systemd \
	    $(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) $(DESTDIR)$(fishcompletiondir)
	$(INSTALL_PROGRAM) $(B)/tincan $(DESTDIR)$(bindir)/tincan
	$(INSTALL_PROGRAM) $(B)/tincan-handler $(DESTDIR)$(sbindir)/tincan-handler
	$(INSTALL_DATA) $(U)/systemd/tincan.socket $(U)/systemd/tincan@.service $(DESTDIR)$(unitdir)
	$(INSTALL_DATA) $(U)/systemd/tincan.sysusers $(DESTDIR)$(sysusersdir)/tincan.conf
ifneq ($(HAS_POLL_LIMIT),)
	$(INSTALL) -d $(DESTDIR)$(unitdir)/tincan.socket.d
	$(INSTALL_DATA) $(U)/systemd/poll-limit.conf $(DESTDIR)$(unitdir)/tincan.socket.d/50-poll-limit.conf
endif
	$(INSTALL_DATA) $(DROP_INS) $(DESTDIR)$(docdir)/examples/systemd
	$(INSTALL_DATA) $(U)/xinetd/tincan $(DESTDIR)$(xinetddir)/tincan
	$(INSTALL_DATA) $(EXAMPLES) $(DESTDIR)$(docdir)/examples
	$(INSTALL_DATA) README.md PROTOCOL.md NEWS.md LICENSE client/RECIPES.md units/systemd/TUNING.md $(DESTDIR)$(docdir)
	$(INSTALL_DATA) client/tincan.1 $(DESTDIR)$(mandir)/man1
	$(INSTALL_DATA) client/completions/tincan.bash $(DESTDIR)$(bashcompletiondir)/tincan
	$(INSTALL_DATA) client/completions/_tincan $(DESTDIR)$(zshcompletiondir)
	$(INSTALL_DATA) client/completions/tincan.fish $(DESTDIR)$(fishcompletiondir)
	$(INSTALL_DATA) handler/tincan-handler.8 $(DESTDIR)$(mandir)/man8
ifeq ($(LIBSYSTEMD),yes)
	$(INSTALL_PROGRAM) $(B)/tincand $(DESTDIR)$(sbindir)/tincand
	$(INSTALL_DATA) $(TINCAND_UNITS) $(DESTDIR)$(unitdir)
	$(INSTALL_DATA) $(U)/xinetd/tincand $(DESTDIR)$(xinetddir)/tincand
	$(INSTALL_DATA) tincand/tincand.8 $(DESTDIR)$(mandir)/man8
endif

install-strip:
	$(MAKE) INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

uninstall:
	rm -f $(DESTDIR)$(bindir)/tincan $(DESTDIR)$(sbindir)/tincan-handler \
	    $(DESTDIR)$(unitdir)/tincan.socket $(DESTDIR)$(unitdir)/tincan@.service \
	    $(DESTDIR)$(xinetddir)/tincan $(DESTDIR)$(mandir)/man1/tincan.1 \
	    $(DESTDIR)$(mandir)/man8/tincan-handler.8
	rm -f $(DESTDIR)$(sbindir)/tincand $(TINCAND_UNITS:$(U)/systemd/%=$(DESTDIR)$(unitdir)/%) \
	    $(DESTDIR)$(xinetddir)/tincand $(DESTDIR)$(mandir)/man8/tincand.8
	rm -f $(DESTDIR)$(sysusersdir)/tincan.conf $(DESTDIR)$(unitdir)/tincan.socket.d/50-poll-limit.conf
	rm -f $(DESTDIR)$(bashcompletiondir)/tincan $(DESTDIR)$(zshcompletiondir)/_tincan \
	    $(DESTDIR)$(fishcompletiondir)/tincan.fish
	-rmdir $(DESTDIR)$(unitdir)/tincan.socket.d 2>/dev/null
	rm -rf $(DESTDIR)$(docdir)

# Nothing is installed where not all of it can be.

FOLDERS = $(bindir) $(sbindir) $(unitdir) $(xinetddir) $(mandir)/man1 $(mandir)/man8 $(sysusersdir) $(docdir) \
    $(bashcompletiondir) $(zshcompletiondir) $(fishcompletiondir)

install: can-install

can-install:
	@for folder in $(FOLDERS:%='$(DESTDIR)%'); do \
	    there=$$folder; \
	    until [ -e "$$there" ]; do there=$$(dirname "$$there"); done; \
	    [ -d "$$there" ] && [ -w "$$there" ] || { \
	        echo "make: cannot install to $$folder: $$there can't be written to;" \
	            "nothing was installed" >&2; exit 1; }; \
	done

# Packages. What they are made of is the last commit, as it goes out in the tarball.

TARBALL = $(B)/tincan-$(VERSION).tar.gz

# The same bytes each time from the same commit, whatever the user's umask and git's settings are.
dist: check-version
	@mkdir -p $(B)
	git -c tar.umask=0022 archive --prefix=tincan-$(VERSION)/ -o $(TARBALL:.gz=) HEAD
	gzip -n9f $(TARBALL:.gz=)

check-version:
	packaging/check-version

distcheck: dist
	packaging/distcheck $(TARBALL)

reprocheck:
	packaging/reprocheck $(B)/repro

# Without the packages of debugging symbols, which `apt install ./build/deb/tincan*.deb` would install.
deb: dist
	DEB_BUILD_OPTIONS="$${DEB_BUILD_OPTIONS-noautodbgsym}" packaging/build-deb $(TARBALL) $(B)/deb

rpm arch alpine: dist
	packaging/build-$@ $(TARBALL) $(B)/$@

# What is in it, for those who must know: SPDX.
sbom: dist
	packaging/sbom $(TARBALL) > $(TARBALL:.tar.gz=.spdx.json)

# The packages, and what they do in clean and in booted systems; needs root.
check-packages:
	tests/packages/run $(SUITES)

.PHONY: can-install check-version distcheck reprocheck deb rpm arch alpine sbom check-packages

clean:
	rm -rf $(B)

help:
	@echo 'all              the programs and units, in $(B)/ (the default)'
	@echo 'check            every test; FILES=... for some, TESTS_JOBS=1 for one at a time'
	@echo 'check-sanitized  the same, under fewer launchers, with address and undefined-behaviour sanitizers'
	@echo 'check-systemd    the installed units in booted Debian 12 and 13 systems; needs root'
	@echo 'lint             warnings as errors with gcc and clang, and the static checkers'
	@echo 'bench            what one connection costs, against other programs'
	@echo 'bench-flood      the rate of a flood of probes, against a bare epoll loop'
	@echo 'bench-tincand    the rate of tincand against a bare loop and a threaded server'
	@echo 'bench-memory     what connections cost tincand in memory, over a million exchanges'
	@echo 'bench-units      what each hardening directive of a unit costs a connection; needs root'
	@echo 'install          to $(prefix); see prefix, bindir, sbindir, unitdir, xinetddir, DESTDIR'
	@echo 'install-strip    the same without debugging symbols'
	@echo 'uninstall        removes what install put there'
	@echo 'dist             a source tarball of the last commit'
	@echo 'distcheck        builds, tests, installs, uninstalls and cleans from that tarball'
	@echo 'deb              Debian packages of the last commit, in $(B)/deb'
	@echo 'rpm arch alpine  packages for those systems, as far as they can be built here'
	@echo 'sbom             a list of what is in the tarball, and linked to it, as SPDX'
	@echo 'check-packages   all of them: built in clean roots, installed in booted ones; needs root'
	@echo 'reprocheck       makes tarball and packages twice, under unlike conditions, and compares'
	@echo 'clean            removes $(B)/'

FORCE:

.PHONY: FORCE all no-tincand check check-programs check-sanitized check-systemd lint bench bench-flood bench-tincand bench-memory bench-units install install-strip uninstall dist \
    clean help
.DELETE_ON_ERROR:

-include $(HANDLER_OBJ:.o=.d) $(TINCAND_OBJ:.o=.d) $(CLIENT_OBJ:.o=.d)
