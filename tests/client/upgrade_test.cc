// Going on with another protocol (RFC 9110 §7.8).
#include "pipette/client/upgrade.h"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "pipette/client/client.h"
#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Request to_echo(std::string offer = "echo") {
  Request request;
  request.url = "http://app/";
  EXPECT_TRUE(request.fields.set("Upgrade", offer));
  return request;
}

constexpr std::string_view kSwitch = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";

TEST(Upgrade, GivesTheConnectionWithWhatTheServerHasSaid) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(std::string(kSwitch) + "welcome");
  Client client(lab.runtime());
  Result<Upgraded> upgraded = lab.run(client.upgrade(to_echo()));
  ASSERT_TRUE(upgraded);
  EXPECT_EQ(upgraded->response.status, 101);
  ASSERT_TRUE(upgraded->connection);
  EXPECT_THAT(server.requests()[0], HasSubstr("Connection: Upgrade\r\n"));
  EXPECT_EQ(client.open_connections(), 0U) << "it is nobody's but the user's";
  std::array<char, 100> room;
  const Result<std::size_t> size =
      lab.run([](net::Connection& connection, MutableBytes into) -> Task<Result<std::size_t>> {
        co_return co_await connection.read_some(into);
      }(*upgraded->connection, room));
  EXPECT_EQ(std::string_view(room.data(), *size), "welcome");
  lab.advance(1h);  // no deadline of the call is left on it
  const std::array<Bytes, 1> pieces = {"hi"};
  EXPECT_EQ(upgraded->connection->try_write(pieces), 2U);
}

TEST(Upgrade, GivesTheResponseOfAServerThatDoesNotWant) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(lab::respond(426, "no", "Upgrade: other\r\n"));
  Client client(lab.runtime());
  const Result<Upgraded> upgraded = lab.run(client.upgrade(to_echo()));
  ASSERT_TRUE(upgraded);
  EXPECT_EQ(upgraded->response.status, 426);
  EXPECT_EQ(upgraded->response.body, "no");
  EXPECT_FALSE(upgraded->connection);
  EXPECT_EQ(client.idle_connections(), 1U);
}

TEST(Upgrade, RefusesAProtocolThatWasNotOffered) {
  for (const std::string_view answer : {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n",
                                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo, other\r\n\r\n",
                                        "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    Lab lab;
    ScriptedServer server(lab, "app:80");
    server.answer(std::string(answer));
    Client client(lab.runtime());
    EXPECT_EQ(lab.run(client.upgrade(to_echo())).error(), Errc::unexpected_response) << answer;
    EXPECT_EQ(client.open_connections(), 0U);
  }
}

TEST(Upgrade, IsOneOfSeveralThatWereOffered) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(std::string(kSwitch));
  Client client(lab.runtime());
  const Result<Upgraded> upgraded = lab.run(client.upgrade(to_echo("other/2, Echo")));
  ASSERT_TRUE(upgraded);
  EXPECT_TRUE(upgraded->connection);
}

TEST(Upgrade, WantsToKnowToWhat) {
  Lab lab;
  Client client(lab.runtime());
  Request request;
  request.url = "http://app/";
  EXPECT_EQ(lab.run(client.upgrade(request)).error(), Errc::bad_field_value);
}

TEST(Upgrade, IsNotWhatAnOrdinaryCallExpects) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  server.answer(std::string(kSwitch));
  Client client(lab.runtime());
  EXPECT_EQ(lab.run(client.call(to_echo())).error(), Errc::unexpected_response);
  EXPECT_EQ(client.open_connections(), 0U);
}

TEST(Upgrade, EndsWithTheCallsDeadline) {
  Lab lab;
  lab.allow_leaks();
  ScriptedServer silent(lab, "app:80");
  Client client(lab.runtime());
  CallOptions options;
  options.timeout = 3s;
  EXPECT_EQ(lab.run(client.upgrade(to_echo(), options)).error(), Errc::timed_out);
  EXPECT_EQ(lab.elapsed(), 3s);
}

}  // namespace
}  // namespace pipette::client
