# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# cases.sh inside: as root, in a mount namespace of its own and a directory with keys and signed bundles: what `polload
# apply` takes with and without trusted keys, the pins, the rights that it keeps. Expects $polload. Without "inside":
# the functions alone, for tests/trust/run.
# shellcheck disable=SC2086 # words

result() { # NAME STATUS WHY
	if [ "$2" = 0 ]; then echo "ok trust.$1"; else echo "not ok trust.$1 # $3"; fi
}
# NAME EXPECTED-STATUS PATTERN COMMAND...: its exit status, and a line of its output
expect() {
	local name=$1 status=$2 pattern=$3 got
	shift 3
	"$@" >out 2>&1
	got=$?
	if [ $got != "$status" ]; then
		cat out
		result "$name" 1 "exit status $got, not $status"
	elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" out; then
		cat out
		result "$name" 1 "no line like $pattern"
	else
		result "$name" 0
	fi
}
same() { cmp -s "$1" "$2"; result "$3" $? "$1 and $2 differ"; }

id_of() { sed -n '1s/.* //p' "$1"; }

apply() { "$polload" apply "$@" --name trust-test --node nowhere; }

trusted_keys() {
	expect apply-unsigned 0 '' apply plain.o
	expect apply-option-unsigned 1 "plain.o: is not signed; trusted: $(id_of a.pub)" apply plain.o --trusted-key a.pub
	expect apply-option-other 1 "is signed by a key that is not trusted: $(id_of a.pub); trusted: $(id_of b.pub)" \
		apply by-a.o --trusted-key b.pub
	expect apply-option-wrong 1 "has a wrong signature of key $(id_of a.pub)" apply by-a.o --trusted-key forged.pub
	expect apply-option-good 0 '' apply by-a.o --trusted-key a.pub
	expect apply-option-several 0 '' apply by-a.o --trusted-key b.pub --trusted-key a.pub
	expect apply-option-no-file 3 'trusted key nowhere: No such file' apply by-a.o --trusted-key nowhere
	expect apply-option-no-key 3 'a.key: not a public key' apply by-a.o --trusted-key a.key
	cp a.pub lax.pub && chmod 664 lax.pub
	expect apply-option-lax-file 3 'others than its owner may write it' apply by-a.o --trusted-key lax.pub
	chmod 644 lax.pub && chown 12345 lax.pub
	expect apply-option-foreign-file 3 'user 12345, who owns it' apply by-a.o --trusted-key lax.pub
}

trusted_directory() {
	local dir=/etc/polc/trusted.d
	mkdir -p $dir
	expect directory-empty 0 '' apply plain.o
	cp a.pub $dir/a.pub
	echo "not a key" >$dir/README
	expect directory-unsigned 1 'plain.o: is not signed; trusted:' apply plain.o
	expect directory-unsigned-dry-run 1 'plain.o: is not signed; trusted:' apply plain.o --dry-run
	expect directory-good 0 '' apply by-a.o
	expect status-signer 0 "^signed by +key $(id_of a.pub)$" "$polload" status --name trust-test
	expect status-signer-json 0 "\"signed_by\":\"$(id_of a.pub)\"" "$polload" status --name trust-test -o json
	expect directory-other 1 'not trusted' apply by-b.o
	expect directory-and-option 0 '' apply by-b.o --trusted-key b.pub
	cp b.pub $dir/b.pub && rm $dir/a.pub
	expect rotation-new-key 0 '' apply by-a-b.o
	expect rotation-old-key 1 'not trusted' apply by-a.o
	# the one before was signed by a key that is trusted no more; refused, what is in force stays
	"$polload" status --name trust-test | grep generation >before
	expect rollback-refused 1 "generation [0-9]+ of trust-test: is signed by a key that is not trusted: $(id_of a.pub)" \
		"$polload" rollback --name trust-test
	"$polload" status --name trust-test | grep generation >after
	same before after rollback-refused-changes-nothing
	cp a.pub $dir/a.pub
	expect rollback-checked-again 0 '' "$polload" rollback --name trust-test
	rm $dir/a.pub $dir/b.pub && cp c.pub $dir/c.pub
	echo broken >$dir/z.pub
	expect directory-broken-key 3 'z.pub: not a public key' apply by-b.o
	rm $dir/z.pub && mkfifo $dir/z.pub
	expect directory-pipe 3 'z.pub: not a file' apply by-b.o
	rm $dir/z.pub && ln -s nowhere $dir/z.pub
	expect directory-dangling-link 3 'z.pub: No such file' apply by-b.o
	rm $dir/z.pub && chmod 777 $dir
	expect directory-lax 3 'trusted.d: others than its owner may write it' apply by-b.o
	chmod 755 $dir && chown 12345 $dir
	expect directory-foreign 3 'user 12345' apply by-b.o
	rm -r $dir
	"$polload" remove --name trust-test
}

# The pins are nobody else's, and what is not ours is not used.
pins() {
	apply plain.o
	find /sys/fs/bpf/polc -type d ! -perm 0700 -o -type f ! -perm 0600 >lax
	[ ! -s lax ]
	result pins-modes $? "$(head -3 lax | tr '\n' ' ')"
	chmod 755 /sys/fs/bpf/polc
	expect pins-root-lax 0 'was open to others' apply plain.o
	[ "$(stat -c %a /sys/fs/bpf/polc)" = 700 ]
	result pins-root-tightened $? "$(stat -c %a /sys/fs/bpf/polc)"
	chown 12345 /sys/fs/bpf/polc
	expect pins-root-foreign 3 'belongs to user 12345' apply plain.o
	expect pins-root-foreign-read 3 'belongs to user 12345' "$polload" status --name trust-test
	chown 0 /sys/fs/bpf/polc
	"$polload" remove --name trust-test
}

# What a subcommand that runs for long may still do.
rights() {
	local pid cap bound new
	apply plain.o
	"$polload" events --name trust-test --timeout 20 >/dev/null 2>&1 &
	pid=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.2
		new=$(sed -n 's/^NoNewPrivs:\t//p' /proc/$pid/status)
		[ "$new" = 1 ] && break
	done
	cap=$(sed -n 's/^CapPrm:\t//p' /proc/$pid/status)
	bound=$(sed -n 's/^CapBnd:\t//p' /proc/$pid/status)
	kill $pid
	wait $pid 2>/dev/null
	# no more than CAP_BPF 39, CAP_SYSLOG 34, CAP_SYS_PTRACE 19, CAP_DAC_READ_SEARCH 2, CAP_DAC_OVERRIDE 1
	[ -n "$cap" ] && [ $((0x$cap)) = $((1 << 39 | 1 << 34 | 1 << 19 | 1 << 2 | 1 << 1)) ] && [ "$cap" = "$bound" ] && [ "$new" = 1 ]
	result rights-of-events $? "permitted $cap, bounding set $bound, no new privileges $new"
	# a user with these capabilities, and no others, can do it all; packets need no CAP_SYS_ADMIN
	"$polload" remove --name trust-test
	mkdir -p /sys/fs/bpf/polc && chown 12345 /sys/fs/bpf/polc
	chmod 755 . && chmod 644 plain.o
	cp "$polload" ./polload && chmod 755 polload
	if [ -n "${SETPRIV:=$(command -v setpriv)}" ]; then
		as_user="$SETPRIV --reuid 12345 --regid 12345 --clear-groups"
		expect user-without-rights 3 'must be root' $as_user ./polload apply plain.o --name trust-test --node nowhere
		rights=+net_admin,+bpf,+perfmon
		case $(uname -r) in
		5.[0-9].* | 5.10.*) rights=$rights,+sys_resource ;; # memory of maps: polload(8), PRIVILEGES
		esac
		as_user="$as_user --inh-caps=$rights --ambient-caps=$rights"
		expect user-apply 0 '' $as_user ./polload apply plain.o --name trust-test --node nowhere
		expect user-status 0 trust-test $as_user ./polload status --name trust-test
		# who only reads needs CAP_BPF and nothing else
		readers="$SETPRIV --reuid 12345 --regid 12345 --clear-groups --inh-caps=+bpf --ambient-caps=+bpf --bounding-set=-all,+bpf"
		expect reader-status 0 trust-test $readers ./polload status --name trust-test
		expect reader-status-all 0 trust-test $readers ./polload status --all -o json
		expect reader-events 0 '' $readers ./polload events --name trust-test --timeout 0.3
		expect reader-metrics 0 polc_ $readers ./polload metrics
		expect reader-report 0 'nothing would have been denied' $readers ./polload report --name trust-test
		expect reader-explain 0 'verdict' $readers ./polload explain --from "$1" --to "$2" --port tcp/80 --name trust-test
		expect reader-endpoints 0 ENDPOINT $readers ./polload endpoint list --name trust-test
		expect reader-identities 0 ADDRESS $readers ./polload identity list --name trust-test
		expect reader-changes-nothing 3 'must be root' $readers ./polload remove --name trust-test
		expect user-remove 0 '' $as_user ./polload remove --name trust-test
	else
		echo "skip trust.user-apply # no setpriv"
	fi
}

if [ "${1-}" = inside ]; then
	mkdir etc && cp -a /etc/. etc && mount --bind etc /etc && rm -rf /etc/polc && mount -t bpf bpf /sys/fs/bpf || exit 3
	trusted_keys
	trusted_directory
	pins
	rights shop/web shop/db
fi
