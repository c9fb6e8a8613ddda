# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Sockets, packets and addresses."""
from table import arg, case

# --- network ----------------------------------------------------------------------------------------

def net(name, matchers, run, yes, no=(), call="tcp_connect", kind="sock", field="sock_arg", **more):
    case("net-" + name, """
kprobes:
- call: %s
  syscall: false
  args: [{index: 0, type: %s}]
  selectors:
  - matchArgs: [%s]
""" % (call, kind, ", ".join("{index: 0, operator: %s, values: [%s]}" % (op, ", ".join('"%s"' % v for v in values)) if values
                             else "{index: 0, operator: %s}" % op for op, values in matchers)), run,
         events=[{"process_kprobe.args.0.%s.%s" % (field, k): v for k, v in e.items()} for e in yes],
         no_events=[dict({"process_kprobe.policy_name": "net-" + name},
                         **{"process_kprobe.args.0.%s.%s" % (field, k): v for k, v in e.items()}) for e in no], **more)


net("daddr", [("DAddr", ["127.0.0.1", "10.0.0.0/8"])], "agent tcp 127.0.0.1 5001; agent tcp 127.0.0.2 5002",
    [{"daddr": "127.0.0.1", "dport": 5001, "family": "AF_INET", "protocol": "IPPROTO_TCP", "type": "SOCK_STREAM"}], [{"dport": 5002}], covers="type:sock op:DAddr")
net("not-daddr", [("NotDAddr", ["127.0.0.1"])], "agent tcp 127.0.0.1 5001; agent tcp 127.0.0.2 5002", [{"dport": 5002}], [{"dport": 5001}], covers="op:NotDAddr")
net("daddr-6", [("DAddr", ["::1"])], "agent tcp ::1 5003; agent tcp 127.0.0.1 5004", [{"daddr": "::1", "family": "AF_INET6"}], [{"dport": 5004}], covers="op:DAddr")
net("daddr-mapped", [("DAddr", ["127.0.0.1"])], "agent tcp ::ffff:127.0.0.1 5005", [{"dport": 5005}], covers="trap:T36")
net("daddr-many", [("DAddr", ["10.%d.0.0/16" % i for i in range(100)] + ["127.0.0.9"])], "agent tcp 127.0.0.9 5006; agent tcp 127.0.0.8 5007", [{"dport": 5006}], [{"dport": 5007}], covers="op:DAddr")
net("saddr", [("SAddr", ["127.0.0.0/8"])], "agent tcp 127.0.0.1 5008; agent tcp ::1 5009", [{"saddr": "127.0.0.1"}], [{"dport": 5009}], covers="op:SAddr")
net("not-saddr", [("NotSAddr", ["127.0.0.0/8"])], "agent tcp 127.0.0.1 5008; agent tcp ::1 5009", [{"dport": 5009}], [{"dport": 5008}], covers="op:NotSAddr")
net("dport", [("DPort", ["5010", "6000:6010"])], "agent tcp 127.0.0.1 5010; agent tcp 127.0.0.1 6005; agent tcp 127.0.0.1 5011", [{"dport": 5010}, {"dport": 6005}], [{"dport": 5011}], covers="op:DPort")
net("not-dport", [("NotDPort", ["5010"])], "agent tcp 127.0.0.1 5010; agent tcp 127.0.0.1 5011", [{"dport": 5011}], [{"dport": 5010}], covers="op:NotDPort")
net("dport-priv", [("DPortPriv", [])], "agent tcp 127.0.0.1 500; agent tcp 127.0.0.1 5011", [{"dport": 500}], [{"dport": 5011}], covers="op:DPortPriv")
net("not-dport-priv", [("NotDPortPriv", [])], "agent tcp 127.0.0.1 500; agent tcp 127.0.0.1 5011", [{"dport": 5011}], [{"dport": 500}], covers="op:NotDPortPriv")
net("sport", [("SPort", ["5020"])], "agent tcp 127.0.0.1 5020; agent tcp 127.0.0.1 5021", [{"sport": 5020}], [{"sport": 5021}], call="inet_csk_listen_start", covers="op:SPort")
net("not-sport", [("NotSPort", ["5020"])], "agent tcp 127.0.0.1 5020; agent tcp 127.0.0.1 5021", [{"sport": 5021}], [{"sport": 5020}], call="inet_csk_listen_start", covers="op:NotSPort")
net("sport-priv", [("SPortPriv", [])], "agent tcp 127.0.0.1 502; agent tcp 127.0.0.1 5021", [{"sport": 502}], [{"sport": 5021}], call="inet_csk_listen_start", covers="op:SPortPriv")
net("not-sport-priv", [("NotSportPriv", [])], "agent tcp 127.0.0.1 502; agent tcp 127.0.0.1 5021", [{"sport": 5021}], [{"sport": 502}], call="inet_csk_listen_start", covers="op:NotSportPriv")
net("protocol", [("Protocol", ["IPPROTO_TCP"])], "agent tcp 127.0.0.1 5022", [{"dport": 5022}], covers="op:Protocol")
net("protocol-not", [("Protocol", ["IPPROTO_UDP", "17"])], "agent tcp 127.0.0.1 5022", [], [{"dport": 5022}], covers="op:Protocol", count=0)
net("family", [("Family", ["AF_INET6"])], "agent tcp 127.0.0.1 5023; agent tcp ::1 5024", [{"dport": 5024}], [{"dport": 5023}], covers="op:Family")
net("state", [("State", ["TCP_SYN_SENT"])], "agent tcp 127.0.0.1 5025", [{"dport": 5025, "state": "TCP_SYN_SENT"}], covers="op:State")
net("state-not", [("State", ["TCP_ESTABLISHED"])], "agent tcp 127.0.0.1 5025", [], covers="op:State", count=0)

case("net-socket-sockaddr", """
kprobes:
- call: security_socket_connect
  syscall: false
  args: [{index: 0, type: socket}, {index: 1, type: sockaddr}]
  selectors:
  - matchArgs: [{index: 1, operator: SAddr, values: ["127.0.0.0/8"]}, {index: 1, operator: SPort, values: ["5030"]},
                {index: 1, operator: Family, values: ["AF_INET"]}, {index: 0, operator: Protocol, values: ["IPPROTO_TCP"]}]
""", "agent tcp 127.0.0.1 5030; agent tcp 127.0.0.1 5031", covers="type:socket type:sockaddr",
     events=[{"process_kprobe.args.1.sockaddr_arg.addr": "127.0.0.1", "process_kprobe.args.1.sockaddr_arg.port": 5030,
              "process_kprobe.args.1.sockaddr_arg.family": "AF_INET", "process_kprobe.args.0.sock_arg.family": "AF_INET"}], count=1)

for _name, _op, _values, _count in (("equal", "Equal", ["/tmp/w/sock"], 1), ("prefix", "Prefix", ["/tmp/w/so"], 1),
                                    ("abstract", "Equal", ["@hidden"], 1), ("not-equal", "NotEqual", ["/tmp/w/sock"], 1),
                                    ("family", "Family", ["AF_UNIX"], 2)):
    case("net-unix-" + _name, """
kprobes:
- call: security_socket_connect
  syscall: false
  args: [{index: 1, type: sockaddr_un}]
  selectors:
  - matchArgs: [{index: 1, operator: %s, values: [%s]}]
    matchBinaries: [{operator: In, values: [/test/agent]}]
""" % (_op, ", ".join('"%s"' % v for v in _values)),
         "agent call socket 1 1 0; agent call connect p:x u:/tmp/w/sock l:-; agent unix /tmp/w/sock; agent unix @hidden",
         covers="type:sockaddr_un op:" + _op, count=_count)

case("net-skb", """
kprobes:
- call: ip_send_skb
  syscall: false
  args: [{index: 1, type: skb}]
  selectors:
  - matchArgs: [{index: 1, operator: Protocol, values: ["IPPROTO_UDP"]}, {index: 1, operator: DAddr, values: ["127.0.0.1"]},
                {index: 1, operator: DPort, values: ["5040"]}]
""", "agent udp 127.0.0.1 5040; agent udp 127.0.0.1 5041; agent udp 127.0.0.2 5040", covers="type:skb",
     events=[{"process_kprobe.args.0.skb_arg.daddr": "127.0.0.1", "process_kprobe.args.0.skb_arg.dport": 5040,
              "process_kprobe.args.0.skb_arg.protocol": "IPPROTO_UDP", "process_kprobe.args.0.skb_arg.saddr": "127.0.0.1"}], count=1)

case("net-device", """
kprobes:
- call: dev_hard_start_xmit
  syscall: false
  args: [{index: 0, type: skb}, {index: 1, type: net_device}]
  selectors: [{matchArgs: [{index: 1, operator: Equal, values: [lo]}]}]
""", "agent udp 127.0.0.1 5050", covers="type:net_device", events=[arg(1, "net_dev_arg.name", "lo")])
