// Runs the README's second test by hand, and shows what it saw: the transcript, the wall time, the sockets opened.

#include <chrono>
#include <cstdio>

#include "pipette/guard/guard.h"
#include "pipette/lab/lab.h"

#include "hello.h"

using namespace std::chrono_literals;

int main() {
  const auto begin = std::chrono::steady_clock::now();
  pipette::Server server(hello);
  pipette::Lab lab;
  lab.serve(server, "app:80");
  pipette::Peer peer = lab.connect("app:80");
  peer.send("GET / HTTP/1.1\r\nHost: ap");
  lab.advance(10s - 1ns);
  const bool closed_too_early = peer.closed();
  lab.advance(1ns);
  const bool closed_in_time = peer.closed();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;

  std::printf("%s\n%s\n", lab.transcript().c_str(), peer.received().c_str());
  const pipette::guard::Counts counts = pipette::guard::counts();
  std::printf("\n10 s of virtual time in %.0f us of wall time; %d sockets, %d threads, %d sleeps\n", took.count(),
              counts.sockets, counts.threads, counts.sleeps);
  const bool passed = !closed_too_early && closed_in_time && counts.sockets == 0;
  std::printf("%s: open at 9.999999999 s, answered 408 and closed at 10.000000000 s\n", passed ? "PASSED" : "FAILED");
  return passed ? 0 : 1;
}
