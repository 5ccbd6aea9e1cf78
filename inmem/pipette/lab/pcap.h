// What happened in a world, as a capture that Wireshark opens.
//
//   std::ofstream file("failure.pcapng", std::ios::binary);
//   write_pcapng(world.log(), file);                         // wireshark failure.pcapng
//   tshark -r failure.pcapng -t ud -Y http                   // every message, with the virtual civil time it was sent
//   at
//
// There are no packets in a world, so they are made up: IPv4 and TCP around the octets of the log, as two well-behaved
// hosts would have sent them, seen by somebody who stands beside whoever sends.
//
//   dial --> SYN, SYN-ACK, ACK     sent --> segments, the last with PSH     finished --> FIN     reset --> RST
//   refused --> SYN, RST (a SYN alone where the dial timed out)
//   fault, link, note, timed_out, accept_failed, and why a dial or a connection failed --> comments
//
// Octets are acknowledged when they arrive: at once, or on a connection with `received` events at those. A comment
// (frame.comment) begins with its own time and stands on the nearest packet, of its connection if it has one; without
// any packet it stands on the file, beside the hash of the log. A connection whose dial the log has dropped begins in
// the middle, as in a capture that was started late.
//
// What was secured by TLS is in there as it went over the wire, and with the keys that the log was given
// (Lab::keep_keys) Wireshark shows what was inside.
//
// Addresses and ports are those of the log; an end without an IPv4 address (unix:/path) gets one from 198.18.0.0/15,
// and port 80 where it accepts. Names of hosts are in the file too: Wireshark shows them with name resolution on.
// On ports that it does not know, Wireshark takes HTTP for HTTP by its first line; where another protocol claims the
// port, say `tshark -d tcp.port==6379,http` or Decode As….
//
// Spec      pcapng (draft-ietf-opsawg-pcapng), LINKTYPE_RAW, times in nanoseconds; RFC 791, RFC 9293.
// Bounds    a comment is cut after 1,000 octets, and a packet has 100 of them at most; memory: some 100 octets a
// packet. Errors    those of the stream, which is the caller's to look at. Lifetime  reads the log during the call
// only.   Threads  those of the log: one.
#pragma once

#include <iosfwd>

#include "pipette/base/time.h"
#include "pipette/inmem/event_log.h"
#include "pipette/inmem/world.h"

namespace pipette::lab {

// `start` is the civil time of virtual time 0. The same log gives the same octets.
void write_pcapng(const inmem::EventLog& log, std::ostream& out, WallTime start = inmem::kWorldStart);

}  // namespace pipette::lab
