# SPDX-License-Identifier: MIT
# Tests, checks and benchmarks; part of the Makefile. What tests run of make gets the variables of
# this one through MAKEFLAGS.

include tests/fuzz/fuzz.mk

LAUNCHERS = direct pipe systemd-inetd systemd-native xinetd openbsd-inetd inetutils-inetd tcpserver \
            s6-ipcserver socat ncat tincand tincand-unix tincand-systemd tincand-xinetd \
            tincand-openbsd-inetd tincand-inetutils-inetd

check: all check-programs ## the tests; FILES=... for some, TESTS_JOBS=1 for one at a time
	TINCAN_BUILD='$(abspath $(B))' tests/run $(FILES)

check-programs: $(addprefix $(B)/tests/,frame-test exhaust probe-test deny handover torture-careless tincan-handler-breakout) \
    $(if $(filter yes,$(LIBSYSTEMD)),$(B)/tests/tincand-hang $(B)/tests/tincand-checked) $(addprefix $(B)/bench/,load spawn floor) \
    $(LAUNCHERS:%=$(B)/tests/launcher-%.bats) $(FUZZERS:%=$(B)/fuzz/%) \
    $(if $(filter yes,$(LIBSYSTEMD)),$(B)/tests/model)

# The same suite on programs that watch themselves. The cases of small memory limits and of the
# sandbox are left to what ships: a sanitizer needs terabytes of address space, and all system calls.
# So are most launchers, which see the same program from outside, billions of bytes to decode, and what
# is no matter of the programs: how they are built, installed and documented, and the tests' own tools.
NOT_SANITIZED = bench completions documents exhaust install launching lint quickstart run static units
SANITIZED = $(filter-out $(NOT_SANITIZED:%=tests/%.bats),$(wildcard tests/*.bats)) $(patsubst %,build/sanitized/tests/launcher-%.bats, \
              direct tcpserver tincand tincand-unix tincand-xinetd)
SANITIZED_TAGS = !limits,!sandbox
check-sanitized: FILES = $(SANITIZED)
check-sanitized: ## the same, under fewer launchers, with address and undefined-behaviour sanitizers
	TESTS_TITLE=sanitized $(MAKE) check B=build/sanitized HANDLER_CC='$(CC)' HANDLER_LDFLAGS= HARDEN= \
	    SANDBOX=none FILES="--filter-tags '$(SANITIZED_TAGS)' $(FILES)" \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'

# What takes longest of that for what it runs of the programs: networks, terminals, programs of others,
# more launchers, and each test with the tag `long`, which starts a program very often.
NOT_QUICK = $(patsubst %,tests/%.bats,network recipes reply terminal) \
            $(patsubst %,build/sanitized/tests/launcher-%.bats,tcpserver tincand-unix tincand-xinetd)
check-sanitized-quick: ## the same without what takes longest, or the search for leaks; minutes
	ASAN_OPTIONS=detect_leaks=0 $(MAKE) check-sanitized SANITIZED_TAGS='$(SANITIZED_TAGS),!long' \
	    FILES='$(filter-out $(NOT_QUICK),$(SANITIZED))'

TINCAN_FLOOD = 5000
check-systemd: all check-programs $(B)/tests/tincan-handler-glibc ## the installed units in booted Debian 12 and 13 systems; needs root
	TINCAN_FLOOD=$(TINCAN_FLOOD) tests/systemd/run $(SUITES)

check-systemd-quick: all check-programs $(B)/tests/tincan-handler-glibc ## the same with floods of a hundred, in one system, and restarts in the other
	TINCAN_FLOOD=100 tests/systemd/run --quick $(SUITES)

check-bare: ## the README's two commands on bare Debian 12 and 13 systems; needs root
	tests/bare $(SUITES)

check-prometheus: all ## a real Prometheus and node_exporter, 23 MB from Debian, on the client's files; a minute
	-tests/helpers/fetch-launchers prometheus prometheus-node-exporter
	TESTS_TITLE=prometheus TINCAN_BUILD='$(abspath $(B))' tests/run tests/prometheus/prometheus.bats

exhaust: $(B)/tests/exhaust ## the decoder against two others on all strings of four bytes; minutes
	tests/exhaust/run $(B)/tests/exhaust

TORTURE = PYTHONPYCACHEPREFIX='$(abspath $(B))/tests/pycache' tests/torture/torture
torture: all ## the programs with every system call failing, each in every way; minutes
	@status=0; \
	$(TORTURE) handler $(B)/tincan-handler || status=1; \
	$(TORTURE) client $(B)/tincan || status=1; \
	$(if $(filter yes,$(LIBSYSTEMD)),$(TORTURE) tincand $(B)/tincand || status=1;) \
	exit $$status

SOAK = 5000
soak: all ## SOAK connections of all manners through tcpserver, xinetd, systemd and to tincand; minutes, needs root
	@status=0; \
	TINCAN_BUILD='$(abspath $(B))' SOAK='$(SOAK)' tests/run tests/soak/soak.bats || status=1; \
	tests/systemd/run --soak '$(SOAK)' $(or $(SUITES),bookworm) || status=1; \
	exit $$status

check-machines: ## the programs built for aarch64, armhf, i386, riscv64 and s390x, under qemu-user; minutes
	tests/machines/run $(MACHINES)

check-compilers: ## the handler built by gcc, clang and musl-gcc, with six sets of options; minutes
	tests/compilers $(COMPILERS)

coverage: ## how much of common/, handler/ and tincand/ the tests run; minutes
	tests/coverage build/coverage

MODEL_SCHEDULES = 1000000
model: $(B)/tests/model ## the accounts of tincand against a model of them, in MODEL_SCHEDULES random schedules; minutes
	$(B)/tests/model $(MODEL_SCHEDULES) $$(date +%s)

MUTANTS        = 150
MUTANT_SECONDS = 300
SEED           = 1
OUTPUT         =
mutate: ## whether tests notice MUTANTS faults of one line, chosen by chance from SEED; hours
	tests/mutate/mutate '$(B)' '$(MUTANTS)' '$(SEED)' '$(MUTANT_SECONDS)' $(OUTPUT)

prove: ## the contracts of the decoder and of texts, with Frama-C; minutes
	tests/prove/run

lint: ## warnings as errors with gcc and clang, and the static checkers
	tests/lint

analyze: handler-size ## Clang's analyzer on all programs, those of the tests as well, and what handler-size prints; minutes
	scan-build --status-bugs -o '$(B)/scan-build' $(MAKE) -s B='$(B)/analyze' HANDLER_CC='$$(CC)' HANDLER_LDFLAGS= all check-programs

MEASURED = $(B)/measured
handler-size: ## bytes of the handler's own code, and its deepest path of calls with the stack that it takes
	@$(MAKE) -s B='$(MEASURED)' CFLAGS='-O2 -fcallgraph-info=su' '$(MEASURED)/tincan-handler' >/dev/null
	@size -t '$(MEASURED)'/handler-obj/*/*.o | sed -n '$$s/^ *\([0-9]*\).*/code=\1/p'
	@python3 tests/helpers/stack_depth.py '$(MEASURED)'/handler-obj/*/*.ci

# --- Benchmarks ---

BENCH = $(addprefix $(B)/bench/,spawn load bare store decoder floor handler-dynamic \
            $(foreach library,libevent libuv,$(shell $(PKG_CONFIG) --exists $(library) 2>/dev/null && echo $(library)))) \
        $(B)/tests/tincan-handler-glibc
bench: all $(BENCH) ## tincan beside what one would use instead: a report in build/bench/; a quarter of an hour
	TINCAN_BUILD='$(B)' tests/bench/run

bench-quick: all $(BENCH) ## the same in a minute or two, roughly
	TINCAN_BUILD='$(B)' tests/bench/run --quick

bench-probes: all ## how true the client's times are, and what a thousand targets cost it; needs root
	TINCAN_BUILD='$(B)' tests/bench/probes

bench-units: all check-programs ## what each hardening directive of a unit costs a connection; needs root
	tests/systemd/run --prices

# --- Programs for tests ---

# Unit tests link all that they could call, main programs apart.
$(B)/tests/frame-test: $(patsubst %.c,$(B)/obj/%.o,$(wildcard common/*.c))
$(B)/tests/probe-test: $(filter-out $(B)/obj/client/tincan.o,$(TINCAN_OBJ))
$(B)/tests/frame-test $(B)/tests/probe-test $(B)/tests/deny $(B)/tests/handover: $(B)/tests/%: $(B)/obj/tests/%.o $(B)/LINK_TEST.command
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(TEST_LIBS)

$(B)/tests/exhaust: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/exhaust/*.c) common/frame.c) $(B)/LINK_TEST.command
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS)

$(B)/tests/model: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/model/*.c) $(addprefix tincand/,loop.c memory.c sources.c) \
    tests/fuzz/event.c tests/fuzz/input.c) $(B)/LINK_TEST.command
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS)

$(addprefix $(B)/bench/,spawn load bare libevent libuv decoder): $(B)/bench/%: $(B)/obj/tests/bench/%.o $(B)/LINK_TEST.command
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(BENCH_LIBS) $(TEST_LIBS)

$(B)/bench/libevent $(B)/bench/libuv: BENCH_LIBS = $(shell $(PKG_CONFIG) --libs $(@F))
$(B)/bench/decoder: BENCH_LIBS = $(if $(wildcard /usr/include/unistr.h),-lunistring)
$(B)/bench/decoder: $(B)/obj/common/frame.o $(B)/obj/common/clock.o

TEST_LIBS = $(EDIT_LIBS) -lm $(LDLIBS)
LINK_TEST = $(LINK) $(TEST_LIBS)

# A handler with faults that torture finds, built as the handler is.
$(B)/tests/torture-careless: $(B)/handler-obj/tests/torture/careless.o $(B)/LINK_HANDLER.command
	@mkdir -p $(@D)
	$(HANDLER_LINK) -o $@ $< $(LDLIBS)

# Servers whose decoder obeys the test.
$(B)/tests/tincan-handler-breakout: $(B)/handler-obj/tests/breakout.o $(HANDLER_OBJ) $(B)/LINK_HANDLER.command
	@mkdir -p $(@D)
	$(HANDLER_LINK) -Wl,--wrap=frame_feed -o $@ $(filter %.o,$^) $(LDLIBS)

$(B)/tests/tincand-hang: $(B)/obj/tests/hang.o $(TINCAND_OBJ) $(B)/LINK_TINCAND.command
	@mkdir -p $(@D)
	$(LINK) -pthread -Wl,--wrap=frame_feed -o $@ $(filter %.o,$^) $(SYSTEMD_LIBS) $(LDLIBS)

# tincand that asserts its invariants of memory after each step (tests/invariants.c).
CHECKED = memory_grow memory_free memory_slow
$(B)/tests/tincand-checked: $(B)/obj/tests/invariants.o $(TINCAND_OBJ) $(B)/LINK_TINCAND.command
	@mkdir -p $(@D)
	$(LINK) -pthread $(CHECKED:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) $(SYSTEMD_LIBS) $(LDLIBS)

# The handler that `make` builds where there is no musl, and one that is not static.
GLIBC_OBJ  = $(HANDLER_SRC:%.c=$(B)/obj/%.o)
LINK_GLIBC = $(CC) $(ALL_LDFLAGS) $(call static,$(CC)) -o $(B)/tests/tincan-handler-glibc $(GLIBC_OBJ) $(LDLIBS)
$(B)/tests/tincan-handler-glibc: $(GLIBC_OBJ) $(B)/LINK_GLIBC.command
	@mkdir -p $(@D)
	$(LINK_GLIBC)

$(B)/bench/handler-dynamic: $(GLIBC_OBJ) $(B)/LINK_TEST.command
	@mkdir -p $(@D)
	$(LINK) -o $@ $(GLIBC_OBJ) $(LDLIBS)

# The least that a static program costs, so without anything on top.
COMPILE_FLOOR = $(HANDLER_CC) $(OWN) $(CFLAGS) $(HANDLER_CFLAGS) $(if $(HANDLER_LDFLAGS),-static)
$(B)/bench/floor $(B)/bench/store: $(B)/bench/%: tests/bench/%.c $(B)/COMPILE_FLOOR.command
	@mkdir -p $(@D)
	$(COMPILE_FLOOR) -o $@ $<

FILL_IN_TEST = sed -e 's|@TESTS@|$(CURDIR)/tests|g'
$(B)/tests/launcher-%.bats: tests/launcher.bats.in $(B)/FILL_IN_TEST.command
	@mkdir -p $(@D)
	$(FILL_IN_TEST) -e 's|@LAUNCHER@|$*|g' $< > $@

# --- For editors ---

compiled = {"directory":"$(CURDIR)","file":"$1","command":"$(subst ",\",$2) -c $1"}
OTHER_C  = $(filter-out $(HANDLER_SRC),$(TINCAN_SRC) $(TINCAND_SRC) $(wildcard tests/*.c tests/*/*.c))
compile_commands.json: FORCE ## how each C file is compiled, for editors and checkers
	$(file >$@,[$(subst } {,}$(comma){,$(strip $(foreach c,$(HANDLER_SRC),$(call compiled,$c,$(HANDLER_COMPILE))) \
	    $(foreach c,$(sort $(OTHER_C)),$(call compiled,$c,$(COMPILE)))))])

.PHONY: check check-programs check-sanitized check-sanitized-quick check-systemd check-systemd-quick check-bare \
        check-compilers check-prometheus check-machines exhaust torture soak coverage model mutate prove lint \
        analyze handler-size bench bench-quick bench-probes bench-units
