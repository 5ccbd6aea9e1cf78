// Calls at one origin, wherever it is reached.
#include "pipette/client/host_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/lab/gtest.h"
#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

net::Address at(std::string_view text) { return *net::Address::parse(text); }

TEST(HostClient, TakesPathsAndUrlsOfItsOrigin) {
  Lab lab;
  ScriptedServer server(lab, "app:8080");
  HostClient client(lab.runtime(), "http://app:8080");
  for (const std::string_view url : {"/a?b", "/a?b#c", "http://app:8080/a?b", "http://APP:8080/a?b"}) {
    server.answer(lab::respond(200));
    EXPECT_TRUE(lab.run(client.get(std::string(url)))) << url;
  }
  for (const std::string& request : server.requests()) EXPECT_THAT(request, StartsWith("GET /a?b HTTP/1.1\r\n"));
  EXPECT_THAT(server.requests()[0], HasSubstr("Host: app:8080\r\n"));
  EXPECT_EQ(server.accepted(), 1U);
  EXPECT_EQ(client.counts().calls, 4U);
}

TEST(HostClient, RefusesUrlsThatAreNotItsOwn) {
  Lab lab;
  HostClient client(lab.runtime(), "http://app");
  for (const std::string_view url : {"http://other/", "https://app/", "http://app:8080/", "a", "", "/a b", "/\r\nX: y",
                                     "*", "//", "http://user@app/"}) {
    const bool is_path = url == "//";
    EXPECT_EQ(lab.run(client.get(std::string(url))), fail(is_path ? Errc::host_not_found : Errc::bad_uri)) << url;
  }
}

TEST(HostClient, RefusesABaseThatIsNoOrigin) {
  Lab lab;
  for (const std::string_view base : {"", "app", "http://", "http://app/x", "ftp://app", "http://app?x"}) {
    HostClient client(lab.runtime(), std::string(base));
    EXPECT_EQ(lab.run(client.get("/")), fail(Errc::bad_uri)) << base;
  }
}

TEST(HostClient, TakesItsAddressesInTurn) {
  Lab lab;
  ScriptedServer one(lab, "one:80");
  ScriptedServer two(lab, "two:80");
  HostClient client(lab.runtime(), "http://app", {at("one:80"), at("two:80")});
  for (ScriptedServer* const server : {&one, &two}) {
    for (int i = 0; i < 2; ++i) server->answer_and_close(lab::respond(200, "", "Connection: close\r\n"));
  }
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(lab.run(client.get("/")));
  EXPECT_EQ(one.accepted(), 2U);
  EXPECT_EQ(two.accepted(), 2U);
  EXPECT_THAT(one.requests()[0], HasSubstr("Host: app\r\n"));
}

TEST(HostClient, TriesAllItsAddresses) {
  Lab lab;
  ScriptedServer server(lab, "one:80");
  HostClient client(lab.runtime(), "http://app", {at("nobody:80"), at("one:81"), at("one:80")});
  server.answer(lab::respond(200, "Hello"));
  EXPECT_EQ(lab.run(client.get("/"))->body, "Hello");
  HostClient lost(lab.runtime(), "http://app", {at("one:81"), at("one:82")});
  EXPECT_EQ(lab.run(lost.get("/")), fail(Errc::connection_refused));
}

TEST(HostClient, ReachesAServerAtAUnixSocket) {
  Lab lab;
  ScriptedServer server(lab, "unix:/run/app.sock");
  HostClient client(lab.runtime(), "http://app", {at("unix:/run/app.sock")});
  server.answer(lab::respond(200, "Hello"));
  EXPECT_EQ(lab.run(client.get("/"))->body, "Hello");
  EXPECT_THAT(server.requests(), ElementsAre(HasSubstr("Host: app\r\n")));
}

TEST(HostClient, LeavesRedirectsToItsUser) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  HostClient client(lab.runtime(), "http://app");
  server.answer(lab::respond(302, "", "Location: /there\r\n"));
  EXPECT_EQ(lab.run(client.get("/"))->status, 302);
}

TEST(HostClient, ClosesWhatIsIdle) {
  Lab lab;
  ScriptedServer server(lab, "app:80");
  HostClient client(lab.runtime(), "http://app");
  server.answer(lab::respond(200));
  ASSERT_TRUE(lab.run(client.get("/")));
  EXPECT_EQ(client.idle_connections(), 1U);
  client.close_idle();
  EXPECT_EQ(client.open_connections(), 0U);
}

}  // namespace
}  // namespace pipette::client
