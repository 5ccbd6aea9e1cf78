// The lab under Catch2: an example, and the test of its probe (catch2_main.cc has its main).
#include "pipette/lab/catch2.h"

#include <optional>
#include <stdexcept>
#include <string>

#include "pipette/lab/check.h"
#include "pipette/lab/lab.h"

#include "tests/support/abandoning.h"

namespace pipette::lab {
namespace {

using Catch::EndsWith;
using Catch::StartsWith;

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

std::string at_line(int line) { return "catch2_test.cc:" + std::to_string(line) + ": "; }

TEST_CASE("a server greets") {
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  const client::Response response = lab.get("http://app/");
  CHECK(has_status(response, 200));
  CHECK(has_header(response, "Content-Length", "5"));
  CHECK(has_no_header(response, "ETag"));
  CHECK(has_body(response, "Hello"));
}

TEST_CASE("a probe intercepts checks, and the test goes on") {
  Catch2Probe probe;
  CHECK(probe.run([] { CHECK(1 == 1); }) == std::nullopt);
  const int line = __LINE__ + 2;
  const std::optional<std::string> why = probe.run([] {
    CHECK(1 == 2);
    CHECK_FALSE(1 == 1);
  });
  REQUIRE(why);
  CHECK_THAT(*why, Catch::Contains(at_line(line) + "CHECK( 1 == 2 ), which is 1 == 2\n"));
  CHECK_THAT(*why, EndsWith(at_line(line + 1) + "CHECK_FALSE( 1 == 1 ), which is 1 == 1"));
}

TEST_CASE("a probe intercepts what ends a body") {
  Catch2Probe probe;
  bool went_on = false;
  const std::optional<std::string> required = probe.run([&] {
    REQUIRE(1 == 2);
    went_on = true;
  });
  CHECK_FALSE(went_on);
  CHECK_THAT(required.value_or(""), EndsWith("REQUIRE( 1 == 2 ), which is 1 == 2"));
  CHECK_THAT(probe.run([] { FAIL("no way"); }).value_or(""), EndsWith("FAIL: no way"));
  CHECK(probe.run([] { throw std::runtime_error("out of luck"); }) == "threw: out of luck");
  CHECK(probe.run([] { throw 42; }) == "threw what is no std::exception");
}

TEST_CASE("a probe intercepts checks of exceptions") {
  Catch2Probe probe;
  const auto throw_luck = [] { throw std::runtime_error("out of luck"); };
  CHECK(probe.run([&] { CHECK_THROWS(throw_luck()); }) == std::nullopt);
  CHECK(probe.run([&] { CHECK_NOFAIL(1 == 2); }) == std::nullopt);
  CHECK_THAT(probe.run([&] { CHECK_NOTHROW(throw_luck()); }).value_or(""), EndsWith(", which threw: out of luck"));
  CHECK_THAT(probe.run([] { CHECK_THROWS(std::string()); }).value_or(""),
             EndsWith("CHECK_THROWS( std::string() ), which threw nothing"));
}

TEST_CASE("a probe shows what a verdict says") {
  client::Response response;
  response.status = 404;
  Catch2Probe probe;
  const std::optional<std::string> why = probe.run([&] { CHECK(has_status(response, 200)); });
  CHECK_THAT(why.value_or(""), EndsWith("CHECK( has_status(response, 200) ), which is whose status is 404 Not Found"));
}

TEST_CASE("a probe refuses sections and generators") {
  Catch2Probe probe;
  const std::optional<std::string> why = probe.run([] {
    SECTION("inner") {}
  });
  CHECK(why == "threw: SECTION in a body that is probed; put it into the test around it");
}

TEST_CASE("a probe may be nested, and reports") {
  Catch2Probe probe;
  std::optional<std::string> inner;
  const int line = __LINE__ + 3;
  const std::optional<std::string> outer = probe.run([&] {
    inner = probe.run([] { FAIL("inner"); });
    probe.fail_here("the worst");
  });
  CHECK_THAT(inner.value_or(""), EndsWith("FAIL: inner"));
  CHECK_THAT(outer.value_or(""), EndsWith(at_line(line) + "report: the worst"));
}

TEST_CASE("a probe abandons a body that has failed") {
  Catch2Probe probe;
  CHECK(test::flaw_in_abandoning(probe) == "");
}

TEST_CASE("a peer's expectation fails where it stands") {
  Catch2Probe probe;
  const Server server(greet);
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  const int line = __LINE__ + 1;
  const std::optional<std::string> why = probe.run([&] { peer.expect("something"); });
  CHECK(why.value_or("").contains(at_line(line)));
  CHECK(why.value_or("").contains("expected 9 octets, but only 0 of them have come"));
  peer.close_write();
}

// The one failure of this program, which a probe reports: the test is one that should fail.
TEST_CASE("a probe reports to Catch2", "[!shouldfail]") {
  Catch2Probe probe;
  probe.fail_here("the worst");
}

}  // namespace
}  // namespace pipette::lab
