# SPDX-License-Identifier: MIT
# tincan: `make help` lists the targets. CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's.
# In this order: where things go, how they are compiled, what this machine has, what the programs
# are made of, what is installed. Tests are in tests/tests.mk, packages in packaging/packaging.mk.

VERSION = 0.1.0

# --- Where things go: programs that are built to B, units to U ---

B = build
U = $(B)/units

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

# The user that the units run the servers as.
user = tincan

INSTALL         = install
INSTALL_PROGRAM = $(INSTALL)
INSTALL_DATA    = $(INSTALL) -m 644
PKG_CONFIG      = pkg-config

# --- How programs are compiled: the handler with a compiler of its own ---

CFLAGS   = -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
OWN      = -std=gnu11 -D_GNU_SOURCE -DTINCAN_VERSION='"$(VERSION)"' -I. $(WARNINGS)

# HARDEN= does without. _FORTIFY_SOURCE needs an optimizer, and gives way to the user's.
HARDEN  = -fstack-protector-strong -fPIE $(FORTIFY)
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if \
            $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS)))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))
PIE     = $(if $(filter -fPIE,$(HARDEN)),-fPIE -pie)

ALL_CFLAGS      = $(OWN) $(CPPFLAGS) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS     = $(CFLAGS) -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS)
COMPILE         = $(CC) $(ALL_CFLAGS) $(LIBRARY_CFLAGS) -pthread
LINK            = $(CC) $(PIE) $(ALL_LDFLAGS)
HANDLER_COMPILE = $(HANDLER_CC) $(ALL_CFLAGS) -DCLOCK_WITHOUT_VDSO $(HANDLER_CFLAGS)
HANDLER_LINK    = $(HANDLER_CC) $(if $(HANDLER_LDFLAGS),,$(PIE)) $(ALL_LDFLAGS) $(HANDLER_LDFLAGS)

# --- What this machine has ---

# The handler is one process per connection, so its start-up time is its speed: static, with musl
# where musl-gcc compiles for the same machine as CC. musl lacks the kernel's headers. What is
# neither inlined nor aligned is smaller, and the decoder as fast; debuggers have the unwind tables of -g.
machine        = $(firstword $(subst -, ,$(shell $1 -dumpmachine 2>/dev/null)))
HANDLER_CC    := $(if $(filter $(call machine,musl-gcc),$(call machine,$(CC))),musl-gcc,$(CC))
HANDLER_CFLAGS := -fno-inline-functions -fno-asynchronous-unwind-tables -falign-functions=1 \
                  $(if $(findstring musl,$(HANDLER_CC)),-idirafter /usr/include \
                    -idirafter /usr/include/$(shell $(HANDLER_CC) -dumpmachine))

# static COMPILER: links a static program, position independent where its C library has rcrt1.o. What
# -static-pie does is said to musl-gcc by hand, which doesn't know it. Debuggers want the build id. Code
# and constants in one segment cost fewer page faults.
crt      = $(dir $(firstword $(filter %crt1.o,$(subst ",,$(shell $1 -static -\#\#\# -x c /dev/null 2>&1)))))
musl-pie = -static $(PIE) -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(addprefix $1,rcrt1.o crti.o crtn.o)
pie      = $(if $(findstring musl-gcc,$1),$(call musl-pie,$2),-static-pie)
static   = $(if $(and $(PIE),$(wildcard $(call crt,$1)rcrt1.o)),$(call pie,$1,$(call crt,$1)),-static) -Wl,--build-id,-z,noseparate-code
HANDLER_LDFLAGS := $(call static,$(HANDLER_CC))

# The handler's sandbox. Where the kernel has no seccomp, the handler goes on without.
SANDBOX := $(if $(filter riscv32-% %x32 %n32,$(shell $(HANDLER_CC) -dumpmachine 2>/dev/null)),none,seccomp)

# The client edits lines with libedit, and tincand needs libsystemd: `no` builds without.
LIBEDIT    := $(shell $(PKG_CONFIG) --exists libedit 2>/dev/null && echo yes || echo no)
LIBSYSTEMD := $(shell $(PKG_CONFIG) --exists libsystemd 2>/dev/null && echo yes || echo no)
ask         = $(if $(filter yes,$1),$(shell $(PKG_CONFIG) $2))
LIBRARY_CFLAGS := $(call ask,$(LIBEDIT),--cflags libedit) $(call ask,$(LIBSYSTEMD),--cflags libsystemd)
EDIT_LIBS      := $(call ask,$(LIBEDIT),--libs libedit)
SYSTEMD_LIBS   := $(call ask,$(LIBSYSTEMD),--libs libsystemd)

# The systemd that the units are for; from 255 on it knows PollLimit.
SYSTEMD_VERSION := $(shell $(PKG_CONFIG) --modversion systemd 2>/dev/null || \
                     systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
HAS_POLL_LIMIT  := $(shell [ "$(firstword $(subst ., ,$(SYSTEMD_VERSION)))" -ge 255 ] 2>/dev/null && echo yes)

# --- What the programs are made of ---

# The whole handler; `make lint` compares the list with what its files include.
HANDLER_SRC = $(addprefix common/,clock.c frame.c quantity.c sockaddr.c tag.c text.c) \
              $(filter-out handler/sandbox_%,$(wildcard handler/*.c)) handler/sandbox_$(SANDBOX).c
TINCAND_SRC = $(wildcard common/*.c tincand/*.c) \
              $(addprefix handler/,deadline.c launch.c log.c peer.c result.c settings.c)
TINCAN_SRC  = $(wildcard common/*.c) $(filter-out client/talk/line_%,$(wildcard client/*.c client/*/*.c)) \
              client/talk/line_$(if $(filter yes,$(LIBEDIT)),edit,plain).c

HANDLER_OBJ = $(HANDLER_SRC:%.c=$(B)/handler-obj/%.o)
TINCAND_OBJ = $(TINCAND_SRC:%.c=$(B)/obj/%.o)
TINCAN_OBJ  = $(TINCAN_SRC:%.c=$(B)/obj/%.o)

LINK_HANDLER = $(HANDLER_LINK) -o $(B)/tincan-handler $(HANDLER_OBJ) $(LDLIBS)
LINK_TINCAND = $(LINK) -pthread -o $(B)/tincand $(TINCAND_OBJ) $(SYSTEMD_LIBS) $(LDLIBS)
LINK_TINCAN  = $(LINK) -o $(B)/tincan $(TINCAN_OBJ) $(EDIT_LIBS) -lm $(LDLIBS)
FILL_IN      = sed -e 's|@sbindir@|$(sbindir)|g; s|@user@|$(user)|g'

UNITS = $(patsubst units/%.in,$(U)/%,$(wildcard units/*/*.in units/*/examples/*.in)) $(U)/systemd/tincand@.service

all: $(B)/tincan-handler $(B)/tincan $(if $(filter yes,$(LIBSYSTEMD)),$(B)/tincand,no-tincand) units ## programs and units, in build/
units: $(UNITS)

$(B)/tincan-handler: $(HANDLER_OBJ) $(B)/LINK_HANDLER.command
	@echo "tincan-handler: linked with $(HANDLER_CC), sandbox: $(SANDBOX)"
	$(LINK_HANDLER)

$(B)/tincand: $(TINCAND_OBJ) $(B)/LINK_TINCAND.command
	$(LINK_TINCAND)

no-tincand:
	@echo 'tincand: left out, as pkg-config finds no libsystemd (Debian: libsystemd-dev)'

$(B)/tincan: $(TINCAN_OBJ) $(B)/LINK_TINCAN.command
	@echo "tincan: line editing with libedit: $(LIBEDIT)"
	$(LINK_TINCAN)

$(B)/obj/%.o: %.c $(B)/COMPILE.command
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(B)/handler-obj/%.o: %.c $(B)/HANDLER_COMPILE.command
	@mkdir -p $(@D)
	$(HANDLER_COMPILE) -c -o $@ $<

$(U)/%: units/%.in $(U)/FILL_IN.command
	@mkdir -p $(@D)
	$(FILL_IN) $< > $@

# An instance of tincand has a name and a socket of its own.
$(U)/systemd/tincand@.service: $(U)/systemd/tincand.service
	sed -e 's|tincand\.socket|tincand@%i.socket|; s|^Description=.*|&, instance %i|' $< > $@

# NAME.command has the value of the variable NAME, and is written when that changes: then what was
# made with another command is made again.
%.command: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$($(*F)))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$($(*F)))' > $@

# --- What is installed: SOURCE:DESTINATION, or `to` a folder under the same name ---

to       = $(foreach file,$2,$(file):$1/$(notdir $(file)))
TINCAND_EXAMPLES = $(filter $(U)/systemd/examples/tincand-%,$(UNITS))
ALWAYS   = $(call to,$(bindir),$(B)/tincan) $(call to,$(sbindir),$(B)/tincan-handler) \
    $(call to,$(unitdir),$(U)/systemd/tincan.socket $(U)/systemd/tincan@.service) \
    $(U)/systemd/tincan.sysusers:$(sysusersdir)/tincan.conf $(call to,$(xinetddir),$(U)/xinetd/tincan) \
    $(call to,$(mandir)/man1,client/tincan.1) $(call to,$(mandir)/man8,handler/tincan-handler.8) \
    $(call to,$(docdir),README.md PROTOCOL.md SECURITY.md NEWS.md LICENSE client/RECIPES.md units/LAUNCHING.md) \
    $(call to,$(docdir)/examples,$(filter $(U)/inetd/% $(U)/ucspi/%,$(UNITS))) \
    $(call to,$(docdir)/examples/systemd,$(filter-out $(TINCAND_EXAMPLES),$(filter $(U)/systemd/examples/%,$(UNITS)))) \
    client/completions/tincan.bash:$(bashcompletiondir)/tincan \
    $(call to,$(zshcompletiondir),client/completions/_tincan) \
    $(call to,$(fishcompletiondir),client/completions/tincan.fish)
WITH_TINCAND    = $(call to,$(sbindir),$(B)/tincand) $(call to,$(mandir)/man8,tincand/tincand.8) \
    $(call to,$(unitdir),$(filter $(U)/systemd/tincand%,$(UNITS))) $(call to,$(xinetddir),$(U)/xinetd/tincand) \
    $(call to,$(docdir)/examples/systemd,$(TINCAND_EXAMPLES))
WITH_POLL_LIMIT = $(U)/systemd/poll-limit.conf:$(unitdir)/tincan.socket.d/50-poll-limit.conf

INSTALLED = $(ALWAYS) $(if $(filter yes,$(LIBSYSTEMD)),$(WITH_TINCAND)) $(if $(HAS_POLL_LIMIT),$(WITH_POLL_LIMIT))

define install-file
$(if $(filter $(B)/tincan%,$1),$(INSTALL_PROGRAM),$(INSTALL_DATA)) -D $(subst :, '$(DESTDIR),$1)'

endef
destinations = $(foreach file,$1,'$(DESTDIR)$(lastword $(subst :, ,$(file)))')

install: all units can-install ## to /usr/local; see prefix, bindir, sbindir, unitdir, ..., DESTDIR
	$(foreach file,$(INSTALLED),$(call install-file,$(file)))

install-strip: ## the same without debugging symbols
	$(MAKE) INSTALL_PROGRAM='$(INSTALL_PROGRAM) -s' install

# Nothing is installed where not all of it can be.
can-install:
	@for file in $(call destinations,$(INSTALLED)); do \
	    folder=$${file%/*} there=$${file%/*}; \
	    until [ -e "$$there" ]; do there=$$(dirname "$$there"); done; \
	    [ -d "$$there" ] && [ -w "$$there" ] || { \
	        echo "make: cannot install to $$folder: $$there can't be written to; nothing was installed" >&2; \
	        exit 1; }; \
	done

# Folders that may be tincan's alone go as well, unless something is left in them.
uninstall: ## removes what install put there
	rm -f $(call destinations,$(ALWAYS) $(WITH_TINCAND) $(WITH_POLL_LIMIT))
	rmdir $(patsubst %,'$(DESTDIR)%',$(unitdir)/tincan.socket.d $(docdir)/examples/systemd $(docdir)/examples \
	    $(docdir)) 2>/dev/null || true

# --- The rest ---

include tests/tests.mk packaging/packaging.mk

clean: ## removes what was built
	rm -rf $(B) compile_commands.json

help: ## this list
	@sed -n 's/^\([a-z][a-z._ -]*\):[^=].*## /\1|/p' Makefile tests/tests.mk tests/fuzz/fuzz.mk packaging/packaging.mk | \
	    awk -F '|' '{ printf "%-22s %s\n", $$1, $$2 }'

FORCE:
.PHONY: FORCE all units no-tincand install install-strip can-install uninstall clean help
.PRECIOUS: %.command
.DELETE_ON_ERROR:

-include $(shell find $(B)/obj $(B)/handler-obj -name '*.d' 2>/dev/null)
