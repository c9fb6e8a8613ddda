# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# One non-recursive Makefile; everything it makes is under build/. `make help` lists the targets.

CC ?= cc
CLANG ?= clang
B := build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n' $(1) $(2))

VERSION := 0.1.0
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla -Werror
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
OPT ?= -O2
CFLAGS += -std=gnu11 -g $(OPT) $(WARNINGS) $(HARDENING) $(SAN)
CPPFLAGS += -D_GNU_SOURCE -DPOLC_VERSION='"$(VERSION)"' -I$(B)/gen -Igrammar -Icompiler -I.
LDFLAGS += -pie $(SAN)
LIBS_POLC := -lyaml -lelf -lsodium -lbpf -lz -ljansson
LIBS_POLLOAD := -lbpf -lelf -lsodium -lz -lyaml

RUNTIME := $(wildcard runtime/*.c)
COMPILER := $(wildcard compiler/*/*.c)
LOADER := $(wildcard loader/*.c)
GRAMMAR := $(B)/gen/pol_parser.c $(B)/gen/pol_lexer.c
TEMPLATES := bpf-templates/bundle.c $(wildcard bpf-templates/*/*.h bpf-templates/*/*.c) runtime/abi.h runtime/trace_abi.h
UNIT := $(wildcard tests/unit/*.c)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
RUNTIME_O := $(call obj,$(RUNTIME))
COMPILER_O := $(call obj,$(COMPILER)) $(patsubst $(B)/gen/%.c,$(B)/obj/gen/%.o,$(GRAMMAR)) $(B)/obj/gen/templates.o $(B)/obj/gen/code_texts.o
LOADER_O := $(call obj,$(LOADER))
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT))

.DELETE_ON_ERROR:
.PHONY: all clean test unit help style polload-static install
.SECONDARY:

all: $(B)/polc $(B)/polload ## the compiler and the loader (default)

$(B)/polc: $(B)/obj/compiler/main.o $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC)

$(B)/polload: $(LOADER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLLOAD) -lmicrohttpd

polload-static: $(B)/polload-static ## polload that needs nothing on the node
# Debian has no static library of everything that libmicrohttpd needs
$(B)/obj/static/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DPOLD_NO_HTTP $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/polload-static: $(filter-out %/metrics_http.o,$(LOADER_O)) $(B)/obj/static/loader/metrics_http.o $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -static -s -o $@ $^ $(LIBS_POLLOAD)

$(B)/obj/gen/%.o: $(B)/gen/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-error -Wno-switch-enum -Wno-missing-prototypes -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# grammar and lexer: the parser header must exist before anything that includes it
$(B)/gen/pol_parser.c $(B)/gen/pol_parser.h &: grammar/polc.y
	$(call say,BISON,$<)
	$(Q)mkdir -p $(@D)
	$(Q)bison -Werror -Wcounterexamples --header=$(B)/gen/pol_parser.h -o $(B)/gen/pol_parser.c $<
$(B)/gen/pol_lexer.c $(B)/gen/pol_lexer.h &: grammar/polc.l
	$(call say,FLEX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)flex --header-file=$(B)/gen/pol_lexer.h -o $(B)/gen/pol_lexer.c $<
$(COMPILER_O): | $(B)/gen/pol_parser.h $(B)/gen/pol_lexer.h

# the templates, embedded: one array of {name, text}
$(B)/gen/templates.c: $(TEMPLATES) bpf-templates/embed
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)bpf-templates/embed $(TEMPLATES) >$@

# what diagnostics mean, for the language server
$(B)/gen/code_texts.c: compiler/diagnostics.md compiler/lsp/embed
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q)compiler/lsp/embed $< >$@

# Unit tests: one cmocka program per file, linked with everything but the mains.
unit: $(UNIT_BIN)
# what the loader reads, compared with what the compiler reads
INVENTORY_O := $(call obj,$(wildcard loader/inventory*.c) $(addprefix loader/,identity_kind.c identity_record.c message.c pool.c yaml.c))
$(B)/tests/unit/test_node_inventory: $(INVENTORY_O)
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC) -lcmocka

test: all unit ## every test that this machine can run
	$(Q)tests/run

clean: ## remove build/
	$(Q)rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 18

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# Conformance suites ($POLC_SHARED/conformance) against both engines; a line per case.
.PHONY: conformance
conformance: $(B)/polc ## the suites of others: expected verdicts, objects to refuse, real policies
	$(Q)tests/conformance

PREFIX ?= /usr/local
UNITS ?= $(PREFIX)/lib/systemd/system
MAN_PAGES := $(wildcard compiler/*.[1-9] grammar/*.[1-9] loader/*.[1-9])
$(B)/completion/%: $(B)/polc
	$(Q)mkdir -p $(@D)
	$(Q)$< completion $* >$@
COMPLETIONS := $(addprefix $(B)/completion/,bash zsh fish)
install: all polload-static $(COMPLETIONS) ## install tools, man pages and shell completion (DESTDIR, PREFIX)
	$(Q)install -Dm644 $(B)/completion/bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/polc
	$(Q)install -Dm644 $(B)/completion/zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_polc
	$(Q)install -Dm644 $(B)/completion/fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/polc.fish
	$(Q)install -Dm755 $(B)/polc $(DESTDIR)$(PREFIX)/bin/polc
	$(Q)install -Dm755 $(B)/polload $(DESTDIR)$(PREFIX)/sbin/polload
	$(Q)install -Dm755 $(B)/polload-static $(DESTDIR)$(PREFIX)/lib/polc/polload-static
	$(Q)for page in $(MAN_PAGES); do \
		install -Dm644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	$(Q)install -d $(DESTDIR)$(UNITS)
	$(Q)for unit in loader/deploy/systemd/*; do \
		sed 's#/usr/sbin/polload#$(PREFIX)/sbin/polload#' $$unit >$(DESTDIR)$(UNITS)/$${unit##*/} || exit 1; \
		chmod 644 $(DESTDIR)$(UNITS)/$${unit##*/}; \
	done

# Debian packages: polc (the compiler) and polload (the loader with its units), of a copy of the sources.
.PHONY: deb deploytest doctortest
DEB := $(B)/deb
SOURCES := Makefile README.md LICENSE bpf-templates compiler grammar loader runtime
deb: $(DEB)/made ## Debian packages polc and polload, in build/deb (needs debhelper)
	$(Q)ls $(DEB)/polc_*.deb $(DEB)/polload_*.deb
$(DEB)/made: $(shell find $(SOURCES) -type f 2>/dev/null)
	$(call say,DEB,$(DEB))
	$(Q)rm -rf $(DEB) && mkdir -p $(DEB)/polc-$(VERSION)
	$(Q)cp -a $(SOURCES) $(DEB)/polc-$(VERSION)/
	$(Q)cp -a loader/deploy/debian $(DEB)/polc-$(VERSION)/debian
	$(Q)cd $(DEB)/polc-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL -u B dpkg-buildpackage -us -uc -b >../log 2>&1 || \
		{ tail -n 40 ../log; exit 3; }
	$(Q)touch $@

deploytest: all polload-static ## units and package in a Debian with systemd, booted in a virtual machine (root)
	$(Q)B=$(B) tests/deploy/vm

doctortest: all polload-static ## of vmtest, what polload doctor answers
	$(Q)B=$(B) SUITES=doctor tests/vm/run

# --- the oracle, benchmarks, fuzzers, bad inputs -------------------------------------------------

ORACLE_O := $(call obj,$(wildcard tests/bpf/*.c))
BENCH_O := $(call obj,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
SEED ?= $(shell date +%s)
N ?= 10000
SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: oracle bench bless fuzz
test: $(B)/tests/oracle

$(B)/tests/oracle: $(ORACLE_O) $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC)

# calls of tracing policies: evaluator against programs
TRACE_ORACLE_O := $(call obj,$(wildcard tests/trace-oracle/*.c))
SETS ?= 20
.PHONY: trace-oracle
test: $(B)/tests/trace-oracle
$(B)/tests/trace-oracle: $(TRACE_ORACLE_O) $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC)
trace-oracle: $(B)/tests/trace-oracle ## random calls of random tracing policies against the programs (SEED=.. SETS=..)
	$(Q)XDG_CACHE_HOME=$(B)/cache $< --seed $(SEED) --sets $(SETS)

oracle: $(B)/tests/oracle ## N random packets against the evaluator (SEED=.. N=..)
	$(Q)XDG_CACHE_HOME=$(B)/cache $< --seed $(SEED) --cases $(N) --failures $(B)/oracle-failures

# Random pairs of policy sets: are the answers of analysis/reach.h those of the evaluator?
REACH_O := $(call obj,$(wildcard tests/reach/*.c) tests/bpf/ask.c tests/bpf/generate.c tests/bpf/model.c)
.PHONY: diff-oracle
test: $(B)/tests/reach-oracle
$(B)/tests/reach-oracle: $(REACH_O) $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC)

diff-oracle: $(B)/tests/reach-oracle ## N random pairs of policy sets, exact against the evaluator (SEED=.. N=..)
	$(Q)$< --seed $(SEED) --pairs $(N)

# Random pairs of sets of tracing policies: likewise
TRACE_DIFF_O := $(call obj,$(wildcard tests/trace-diff/*.c) tests/trace-oracle/generate.c)
.PHONY: trace-diff-oracle
test: $(B)/tests/trace-diff-oracle
$(B)/tests/trace-diff-oracle: $(TRACE_DIFF_O) $(COMPILER_O) $(RUNTIME_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_POLC)
trace-diff-oracle: $(B)/tests/trace-diff-oracle ## N random pairs of sets of tracing policies (SEED=.. N=..)
	$(Q)$< --seed $(SEED) --pairs $(N)

$(B)/tests/bench: $(BENCH_O) $(COMPILER_O) $(RUNTIME_O) $(B)/tests/incumbent.bpf.o
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter-out %.bpf.o,$^) $(LIBS_POLC)
$(B)/tests/incumbent.bpf.o: tests/bench/incumbent.bpf.c $(TEMPLATES)
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Werror -I. -Ibpf-templates \
		$(addprefix -I,$(wildcard /usr/include/$(shell $(CC) -dumpmachine))) -c -o $@ $<

bench: all $(B)/tests/bench ## ns per packet, build and load times; writes build/bench.json
	$(Q)XDG_CACHE_HOME=$(B)/cache $(B)/tests/bench --build-dir $(B)

bless: all ## rewrites the expected texts of tests/reject (and tests/golden), prints what moved
	$(Q)B=$(B) tests/reject/run --bless
	$(Q)if [ -x tests/golden/run ]; then B=$(B) tests/golden/run --bless; fi
	$(Q)B=$(B) tests/graph/run --bless

# libFuzzer needs clang's own objects; sanitised, without the mains
FUZZ_SRC := $(COMPILER) $(RUNTIME) $(GRAMMAR) $(B)/gen/templates.c $(B)/gen/code_texts.c
FUZZ_O := $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_SRC))
# NULL + 0 (empty vectors) is no finding
FUZZ_FLAGS := -std=gnu11 -g -O1 -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined -fno-sanitize=pointer-overflow
$(B)/fuzz/obj/%.o: %.c
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
-include $(shell find $(B)/fuzz/obj -name '*.d' 2>/dev/null)
$(FUZZ_O): | $(GRAMMAR) $(B)/gen/templates.c $(B)/gen/code_texts.c
$(B)/fuzz/fuzz_node_inventory: $(patsubst $(B)/obj/%,$(B)/fuzz/obj/%,$(filter-out %/message.o,$(INVENTORY_O)))
$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_O)
	$(call say,CLANG,$<)
	$(Q)$(CLANG) $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_POLC)
fuzz: all $(addprefix $(B)/fuzz/,$(FUZZERS)) ## SECONDS of fuzzing for each reader (needs libclang-rt)
	$(Q)B=$(B) tests/fuzz/run $(SECONDS) $(FUZZERS)

# Live tests, virtual machines, demonstration: tests/live, tests/vm, testdata/demo.
.PHONY: live vmtest tracetest verifytest bench-tracing demo
$(B)/tests/agent: tests/live/agent.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -g $(OPT) $(WARNINGS) -static -o $@ $<

$(B)/tests/trace-agent: tests/trace/agent.c tests/trace/probe.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -D_GNU_SOURCE -std=gnu11 -g $(OPT) $(WARNINGS) -static -o $@ $<

NODE_O := $(call obj,$(wildcard tests/node/*.c))
$(B)/tests/node: $(NODE_O)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS)) -static -o $@ $^

.PHONY: nodetest
nodetest: all polload-static ## polload killed and refused at every system call, here and in the same kernels (FULL=1)
	$(Q)B=$(B) tests/node/all

tracetest: all polload-static ## the table of tests/trace/cases.py in the same kernels
	$(Q)tests/trace/run

verifytest: all polload-static ## polc verify, build --verify and target against the same kernels
	$(Q)B=$(B) tests/verify/run

bench-tracing: all polload-static ## guest instructions per call with tracing policies (Linux 6.12, -icount)
	$(Q)B=$(B) tests/trace/bench

live: all ## real traffic in this kernel, in private namespaces (root)
	$(Q)tests/run live

vmtest: all polload-static ## the loader's suites in Debian's kernels 5.10, 6.1, 6.12 and newest, with real traffic
	$(Q)B=$(B) tests/vm/run

demo: ## a policy enforced on this machine, shown (root)
	$(Q)testdata/demo/run

# --- what the tests cover, house rules, same bytes -------------------------------------------------

.PHONY: coverage repro
style: ## the house rules that a program can check
	$(Q)tests/style

repro: $(B)/polc ## the same input gives the same bytes, in any directory, order and spelling
	$(Q)XDG_CACHE_HOME=$(CURDIR)/$(B)/cache B=$(B) tests/repro/run

# Inline functions of headers are counted with no one: gcov reports them once per object.
COVERAGE := $(B)/coverage
coverage: ## lines that unit, golden and decide tests run, per directory (in build/coverage)
	$(Q)$(MAKE) -s B=$(COVERAGE) OPT=-O1 SAN=--coverage all unit
	$(Q)find $(COVERAGE)/obj -name '*.gcda' -delete
	-$(Q)B=$(COVERAGE) tests/run unit decide
	-$(Q)POLC=$(COVERAGE)/polc tests/golden/run | grep -v '^ok '
	$(Q)find $(COVERAGE)/obj -name '*.gcno' ! -path '*/obj/tests/*' | LC_ALL=C sort | \
		xargs gcov -n 2>/dev/null >$(COVERAGE)/gcov.txt
	$(Q)awk -F"[':% ]+" '/^File/ { file = $$2; next } \
		/^Lines executed/ && file ~ /^[a-z].*\.[cyl]$$/ && file !~ /^build/ { \
			sub("/[^/]*$$", "", file); lines[file] += $$5; run[file] += $$3 * $$5 / 100; \
			all += $$5; all_run += $$3 * $$5 / 100 } \
		{ file = "" } \
		END { for (f in lines) printf "%5.1f%% of %5d  %s\n", 100 * run[f] / lines[f], lines[f], f | "LC_ALL=C sort -k4"; \
			close("LC_ALL=C sort -k4"); printf "%5.1f%% of %5d  all\n", 100 * all_run / all, all }' \
		$(COVERAGE)/gcov.txt
