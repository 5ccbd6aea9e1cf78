// The lab under doctest: an example, and the test of its probe.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "pipette/lab/doctest.h"

#include <optional>
#include <stdexcept>
#include <string>

#include "pipette/lab/check.h"
#include "pipette/lab/lab.h"

#include "tests/support/abandoning.h"

namespace pipette::lab {
namespace {

void greet(RequestCtx& ctx) { ctx.set_body("Hello"); }

std::string at_line(int line) { return "doctest_test.cc:" + std::to_string(line) + ": "; }

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
  DoctestProbe probe;
  CHECK_FALSE(probe.run([] { CHECK(1 == 1); }).has_value());
  const int line = __LINE__ + 2;
  const std::optional<std::string> failure = probe.run([] {
    CHECK(1 == 2);
    CHECK_FALSE(1 == 1);
    CHECK_EQ(3, 4);
  });
  const std::string why = failure.value_or("");
  CHECK(why.contains(at_line(line) + "CHECK( 1 == 2 ), which is 1 == 2\n"));
  CHECK(why.contains(at_line(line + 1) + "CHECK_FALSE( 1 == 1 ), which is 1 == 1\n"));
  CHECK(why.ends_with(at_line(line + 2) + "CHECK_EQ( 3, 4 ), which is 3, 4"));
}

TEST_CASE("a probe intercepts what ends a body") {
  DoctestProbe probe;
  bool went_on = false;
  const std::string required = probe
                                   .run([&] {
                                     REQUIRE(1 == 2);
                                     went_on = true;
                                   })
                                   .value_or("");
  CHECK_FALSE(went_on);
  CHECK(required.ends_with("REQUIRE( 1 == 2 ), which is 1 == 2"));
  CHECK(probe.run([] { throw std::runtime_error("out of luck"); }) == "threw: out of luck");
  CHECK(probe.run([] { throw 42; }) == "threw what is no std::exception");
}

TEST_CASE("a probe intercepts checks of exceptions") {
  DoctestProbe probe;
  const auto throw_luck = [] { throw std::runtime_error("out of luck"); };
  CHECK_FALSE(probe.run([&] { CHECK_THROWS(throw_luck()); }).has_value());
  CHECK(probe.run([&] { CHECK_NOTHROW(throw_luck()); }).value_or("").ends_with(", which threw: \"out of luck\""));
  CHECK(probe.run([] { CHECK_THROWS(std::string()); })
            .value_or("")
            .ends_with("CHECK_THROWS( std::string() ), which threw nothing"));
}

TEST_CASE("a probe shows what a verdict says") {
  client::Response response;
  response.status = 404;
  DoctestProbe probe;
  const std::optional<std::string> why = probe.run([&] { CHECK(has_status(response, 200)); });
  CHECK(why.value_or("").ends_with(", which is whose status is 404 Not Found"));
}

TEST_CASE("a probe may be nested") {
  DoctestProbe probe;
  std::optional<std::string> inner;
  const std::optional<std::string> outer = probe.run([&] {
    inner = probe.run([] { CHECK(1 == 2); });
    CHECK(3 == 4);
  });
  CHECK(inner.value_or("").ends_with("which is 1 == 2"));
  CHECK(outer.value_or("").ends_with("which is 3 == 4"));
}

TEST_CASE("a probe abandons a body that has failed") {
  DoctestProbe probe;
  CHECK(test::flaw_in_abandoning(probe) == "");
}

TEST_CASE("a peer's expectation fails where it stands") {
  DoctestProbe probe;
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
TEST_CASE("a probe reports to doctest" * doctest::should_fail()) {
  DoctestProbe probe;
  probe.fail_here("the worst");
}

}  // namespace
}  // namespace pipette::lab
