# SPDX-License-Identifier: MIT
# Fuzzing; part of the Makefile. tests/fuzz/NAME.c is a target, linked as $(B)/fuzz/NAME with what it
# tries and with system calls that obey its input. FUZZ_DRIVER links a fuzzer; without one, the
# program replays files of inputs.

FUZZERS = frame parse handler roundtrip $(if $(filter yes,$(LIBSYSTEMD)),tincand)

comma = ,
net   = $(patsubst %,client/net/%.c,$1)

parse-SRC     = $(call net,bind_address message verify) $(filter-out %/clock.c %/streams.c,$(wildcard common/*.c))
handler-SRC   = $(filter-out handler/sandbox_% handler/tincan-handler.c,$(HANDLER_SRC)) common/tag_parse.c tests/fuzz/handler_kernel.c
roundtrip-SRC = $(call net,attempt bind_address handshake outcome race roundtrip tcp transfer verify) \
                $(addprefix common/,clock.c quantity.c sockaddr.c tag_parse.c text.c text_format.c)
tincand-SRC   = $(filter-out %/tincand.c %/tincand_options.c %/log_queue.c %/listeners.c %/limits.c %/server.c, \
                  $(wildcard tincand/*.c)) $(addprefix handler/,deadline.c peer.c result.c) \
                $(addprefix common/,clock.c quantity.c sockaddr.c tag.c tag_parse.c text.c text_format.c) \
                tests/invariants.c tests/fuzz/event.c tests/fuzz/world.c

handler-WRAP   = clock_gettime connect fstat getenv getpeername getpid getsockname getsockopt madvise mmap \
                 poll read recv send setitimer setsockopt shutdown sigaction signal sigprocmask socket write
roundtrip-WRAP = clock_gettime close connect getsockname getsockopt poll recv send sendmsg socket
tincand-WRAP   = accept4 clock_gettime close epoll_ctl epoll_wait malloc nanosleep realloc sigprocmask $(CHECKED)

FUZZ_DRIVER  =
FUZZ_COMMON  = common/frame.c tests/exhaust/reference.c tests/fuzz/input.c $(if $(FUZZ_DRIVER),,tests/fuzz/replay.c)
FUZZ_LINK    = $(LINK) $(FUZZ_DRIVER) -o
fuzz-objects = $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_COMMON) tests/fuzz/$1.c $($1-SRC))
fuzz-wraps   = $(patsubst %,-Wl$(comma)--wrap=%,$($1-WRAP))

# _FORTIFY_SOURCE would replace calls by others.
FUZZ_COMPILE = $(COMPILE) -U_FORTIFY_SOURCE
$(B)/fuzz/obj/%.o: %.c $(B)/FUZZ_COMPILE.command
	@mkdir -p $(@D)
	$(FUZZ_COMPILE) -c -o $@ $<

define fuzz-program
$(B)/fuzz/$1: $(call fuzz-objects,$1) $(B)/FUZZ_LINK.command
	$$(FUZZ_LINK) $$@ $$(filter %.o,$$^) $$(call fuzz-wraps,$1) $$(LDLIBS)
endef
$(foreach name,$(FUZZERS),$(eval $(call fuzz-program,$(name))))

fuzz-programs: $(FUZZERS:%=$(B)/fuzz/%)

fuzz: ## libFuzzer and AFL++ on decoder, parsers, both servers and the client; FUZZ_SECONDS for each
	tests/fuzz/run $(FUZZERS)

fuzz-corpus: ## keeps what they find: the inputs in the tree become the fewest that reach as much
	tests/fuzz/run --keep $(FUZZERS)

-include $(shell find $(B)/fuzz/obj -name '*.d' 2>/dev/null)

.PHONY: fuzz-programs fuzz fuzz-corpus
