# SPDX-License-Identifier: GPL-2.0-or-later
"""For each expectation a scenario, a right client and a wrong one.

The clients are steps of targets/clients/steps.py: an interpreter needs enough of a processor that a
quota takes it away from the client in the middle of its attempts.
"""

# The expectation; endpoints and what is expected; the right client's steps, the wrong one's.
PAIRS = [
    ("exit", "endpoints: {api: {faults: [refuse]}}\nexpect: {exit: 3, attempts: 2}",
     "connect:0 wait:100 connect:0 exit:3", "connect:0 wait:100 connect:0 exit:4"),
    ("attempts", "endpoints: {api: {faults: [refuse]}}\nexpect: {attempts: 3}",
     "loop:3 connect:0 wait:100 end", "loop:4 connect:0 wait:100 end"),
    ("connected", "endpoints: {api: {faults: [refuse, accept]}}\nexpect: {connected: 1}",
     "connect:0 wait:100 connect:0", "connect:0 wait:100 connect:0 close connect:0"),
    ("ended", "endpoints: {api: {faults: [refuse, accept]}}\nexpect: {ended: [refused, closed]}",
     "connect:0 wait:100 connect:0 close", "connect:0 wait:100 connect:0 close connect:0 close"),
    ("sent", "endpoints: {api: {serve: echo, faults: [accept]}}\nexpect: {bytes: {sent: 100}}",
     "connect:0 send:100 get:100 close", "connect:0 send:120 get:120 close"),
    ("received", "endpoints: {api: {serve: echo, faults: [accept]}}\nexpect: {bytes: {received: 100}}",
     "connect:0 send:100 get:100 close", "connect:0 send:120 get:120 close"),
    ("stdout", "endpoints: {api: {faults: [refuse]}}\nexpect: {stdout: {contains: gave up}}",
     "connect:0 wait:100 connect:0 say:gave~up", "connect:0 wait:100 connect:0 say:ok"),
    ("stderr", "endpoints: {api: {faults: [refuse]}}\nexpect: {stderr: {contains: gave up}}",
     "connect:0 wait:100 connect:0 print:gave~up", "connect:0 wait:100 connect:0 print:ok"),
    ("duration", "endpoints: {api: {faults: [refuse]}}\nexpect: {duration: 300ms..1500ms}",
     "connect:0 wait:400 connect:0", "connect:0 wait:1700 connect:0"),
    ("backoff", "endpoints: {api: {faults: [refuse]}}\nexpect: {backoff: {fixed: 300ms}}",
     "loop:3 connect:0 wait:300 end", "loop:10 connect:0 end"),
    ("backoff", "endpoints: {api: {faults: [refuse]}}\n"
     "expect: {backoff: {exponential: {base: 200ms}}}",
     "connect:0 wait:200 connect:0 wait:400 connect:0",
     "connect:0 wait:700 connect:0 wait:400 connect:0"),
    ("total-backoff", "endpoints: {api: {faults: [refuse]}}\nexpect: {total-backoff: 600ms}",
     "loop:3 connect:0 wait:300 end", "loop:5 connect:0 wait:300 end"),
    ("attempt-delay", "endpoints: {api: {faults: [drop]}}\nexpect: {attempt-delay: {fixed: 400ms}}",
     "loop:3 connect:0:200 wait:200 end", "loop:3 connect:0:200 wait:700 end"),
    ("connect-timeout", "endpoints: {api: {faults: [drop]}}\nexpect: {connect-timeout: 300ms}",
     "loop:2 connect:0:300 wait:100 end", "loop:2 connect:0:700 wait:100 end"),
    ("connecting", "endpoints: {api: {faults: [refuse]}}\nexpect: {connecting: 600ms}",
     "connect:0 wait:300 connect:0 wait:300 connect:0",
     "connect:0 wait:300 connect:0 wait:900 connect:0"),
    ("read-timeout", "endpoints: {api: {serve: accept, faults: [accept]}}\n"
     "expect: {read-timeout: 300ms}",
     "connect:0 send:1 read:300 close", "connect:0 send:1 read:800 close"),
    ("gives-up", "endpoints: {api: {faults: [refuse]}}\nexpect: {gives-up: {attempts: 3}}",
     "loop:3 connect:0 wait:100 end", "loop:5 connect:0 wait:100 end"),
    ("retry-on", "endpoints: {api: {serve: echo, faults: [close after 0 bytes]}}\n"
     "expect: {retry-on: [refused]}",
     "connect:0 send:1 read:500 close", "connect:0 send:1 read:500 close wait:100 connect:0"),
    ("order", "endpoints: {api: {faults: [drop]}, backup: {faults: [accept]}}\n"
     "expect: {order: {backup: {after: api}}}",
     "connect:0:200 connect:1", "start:0 wait:20 connect:1 wait:200"),
    ("fallback", "endpoints: {api: {faults: [refuse]}, backup: {faults: [accept]}}\n"
     "expect: {fallback: {from: api, to: backup, within: 400ms}}",
     "connect:0 wait:50 connect:1", "connect:0 wait:900 connect:1"),
    ("concurrent-attempts", "endpoints: {api: {faults: [drop]}}\n"
     "expect: {concurrent-attempts: 1}",
     "loop:3 connect:0:150 wait:20 end", "start:0 wait:30 start:0 wait:30 close-all"),
    ("leaks", "endpoints: {api: {faults: [drop x2, accept]}}\nexpect: {leaks: 0}",
     "loop:3 connect:0:150 end", "hold:0:150 hold:0:150 connect:0 wait:100"),
    ("retransmissions", "endpoints: {api: {faults: [drop]}}\nexpect: {retransmissions: 0}",
     "loop:2 connect:0:300 wait:50 end", "connect:0:2500"),
    ("herd", "endpoints: {api: {faults: [refuse]}}\nexpect: {herd: {max: 2, within: 150ms}}",
     "loop:4 connect:0 wait:400 end", "loop:8 connect:0 end"),
    ("reconnects", "endpoints: {api: {serve: echo, faults: [close after 0 bytes, accept]}}\n"
     "expect: {reconnects: 1}",
     "connect:0 send:1 read:2000 close wait:50 connect:0",
     "connect:0 send:1 read:2000 close wait:50 connect:0 connect:0"),
    ("concurrent-connections", "endpoints: {api: {serve: accept, faults: [accept]}}\n"
     "expect: {concurrent-connections: 1}",
     "loop:2 connect:0 wait:100 close end", "loop:2 connect:0 wait:400 end"),
    ("stale", "endpoints: {api: {serve: echo, faults: [close after 0 bytes]}}\nexpect: {stale: ..400ms}",
     "connect:0 send:1 read:2000 close", "connect:0 send:1 read:2000 wait:1200 close"),
]
