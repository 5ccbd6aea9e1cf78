// The report of a test in which nobody can go on, as the README shows it.

#include <gtest/gtest.h>

#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

constexpr std::string_view kReport = R"(nobody can make progress at +0.000000000
  the test waits for a task of the test
  conn 1: client waits to read
  conn 1: request 1, GET /never, has been sent whole; no response yet
last events:
  +0.000000000  listening on app:80
  +0.000000000  conn 1  client dials app:80
  +0.000000000  conn 1  client -> app  GET /never HTTP/1.1 (1 field, no body)
)";

// Asks a listener that nobody serves, with no deadline.
Task<> ask_nobody(Lab& lab) {
  Result<net::Connected> dialed = lab.world().dial_now(*net::Address::parse("app:80"));
  const Bytes request = "GET /never HTTP/1.1\r\nHost: app\r\n\r\n";
  const std::span<const Bytes> pieces(&request, 1);
  (void)co_await dialed->connection->write(pieces);
  std::array<char, 100> room;
  (void)co_await dialed->connection->read_some(room);
}

TEST(Lab, ReportsWhoWaitsForWhomWhenNobodyCanGoOn) {
  Lab lab;
  const auto listener = lab.world().host("app").runtime().network().listen(*net::Address::parse("app:80"));
  std::string report;
  try {
    lab.run(ask_nobody(lab));
  } catch (const Stuck& stuck) {
    report = stuck.what();
  }
  EXPECT_EQ(report, kReport);
}

}  // namespace
}  // namespace pipette::lab
