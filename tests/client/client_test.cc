// What a client sends, and what it refuses to send (RFC 9112 §3, RFC 9110 §4.2, §7.2).
#include "pipette/client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "pipette/lab/scripted_server.h"

namespace pipette::client {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kEmpty = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class Calling : public testing::Test {
 protected:
  Result<void> call(Client& client) { return lab_.run(client.call(request_, response_)); }
  Result<void> call() { return call(lab_.client()); }
  std::string sent() {
    server_.answer(std::string(kEmpty));
    const Result<void> done = call();
    EXPECT_TRUE(done) << done.error().message();
    return server_.requests().empty() ? "" : server_.requests().back();
  }

  Lab lab_;
  ScriptedServer server_{lab_, "app:80"};
  Request request_;
  Response response_;
};

TEST_F(Calling, SendsAGet) {
  request_.url = "http://app/a/b?c=d";
  EXPECT_EQ(sent(), "GET /a/b?c=d HTTP/1.1\r\nHost: app\r\nUser-Agent: pipette\r\n\r\n");
}

TEST_F(Calling, SendsAPost) {
  server_.answer(std::string(kEmpty));
  EXPECT_EQ(lab_.post("http://app/", "text/plain", "Hello").status, 200);
  EXPECT_EQ(server_.requests().at(0),
            "POST / HTTP/1.1\r\nHost: app\r\nUser-Agent: pipette\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"
            "\r\nHello");
}

TEST_F(Calling, MakesTheTargetOfTheUrl) {
  struct Row {
    std::string url;
    std::string_view target;
  };
  for (const Row& row : {Row{"http://app", "/"}, Row{"http://app?x=1", "/?x=1"}, Row{"http://app/#fragment", "/"},
                         Row{"http://app/a%20b", "/a%20b"}, Row{"HTTP://app/x?", "/x?"},
                         Row{"http://app/?a#b?c", "/?a"}, Row{"http://app//x/../y", "//x/../y"}}) {
    request_.url = row.url;
    EXPECT_TRUE(sent().starts_with("GET " + std::string(row.target) + " HTTP/1.1\r\n")) << row.url;
  }
}

TEST_F(Calling, SaysLengthZeroForAnEmptyBodyWhereOneIsExpected) {
  for (const http::Method method : {http::Method::post, http::Method::put, http::Method::patch}) {
    request_.url = "http://app/";
    request_.method = method;
    EXPECT_TRUE(sent().contains("\r\nContent-Length: 0\r\n")) << http::to_string(method);
  }
  for (const http::Method method : {http::Method::get, http::Method::delete_, http::Method::options}) {
    request_.method = method;
    EXPECT_FALSE(sent().contains("Content-Length")) << http::to_string(method);
  }
}

TEST_F(Calling, SendsBodiesOfEverySize) {
  request_.url = "http://app/";
  request_.method = http::Method::put;
  for (const std::size_t size : {1U, 1000U, 16383U, 16384U, 100'000U, 1'000'000U}) {
    request_.body = std::string(size, 'x');
    const std::string octets = sent();
    EXPECT_TRUE(octets.contains("\r\nContent-Length: " + std::to_string(size) + "\r\n"));
    EXPECT_TRUE(octets.ends_with("\r\n\r\n" + request_.body)) << size;
  }
}

TEST_F(Calling, LetsHostAndUserAgentOfTheRequestWin) {
  request_.url = "http://app/";
  ASSERT_TRUE(request_.fields.set("host", "other:81"));
  ASSERT_TRUE(request_.fields.set("User-Agent", "mine"));
  ASSERT_TRUE(request_.fields.add("X", "1"));
  ASSERT_TRUE(request_.fields.add("X", "2"));
  EXPECT_EQ(sent(), "GET / HTTP/1.1\r\nhost: other:81\r\nUser-Agent: mine\r\nX: 1\r\nX: 2\r\n\r\n");
}

TEST_F(Calling, NamesThePortInHostWhenTheUrlDoes) {
  ScriptedServer other(lab_, "app:8080");
  other.answer(std::string(kEmpty));
  EXPECT_EQ(lab_.get("http://app:8080/").status, 200);
  EXPECT_EQ(other.requests().at(0), "GET / HTTP/1.1\r\nHost: app:8080\r\nUser-Agent: pipette\r\n\r\n");
}

TEST_F(Calling, DialsIpv6Literals) {
  ScriptedServer other(lab_, "[::1]:8080");
  other.answer(std::string(kEmpty));
  EXPECT_EQ(lab_.get("http://[::1]:8080/x").status, 200);
  EXPECT_EQ(other.requests().at(0), "GET /x HTTP/1.1\r\nHost: [::1]:8080\r\nUser-Agent: pipette\r\n\r\n");
}

TEST_F(Calling, SendsNoUserAgentWhenThereIsNone) {
  ClientOptions options;
  options.user_agent = "";
  Client client(lab_.runtime(), options);
  server_.answer(std::string(kEmpty));
  request_.url = "http://app/";
  EXPECT_TRUE(call(client));
  EXPECT_EQ(server_.requests().at(0), "GET / HTTP/1.1\r\nHost: app\r\n\r\n");
}

TEST_F(Calling, RefusesUrlsThatAreNone) {
  using namespace std::string_literals;
  for (const std::string& url : {""s,
                                 "app"s,
                                 "/path"s,
                                 "http:/app"s,
                                 "http://"s,
                                 "http:///x"s,
                                 "http://app:port/"s,
                                 "http://app:65536/"s,
                                 "http://app:-1/"s,
                                 "http://a b/"s,
                                 "http://app/a b"s,
                                 "http://app/\r\nX: y"s,
                                 "http://app\r\nX: y/"s,
                                 "http://app/\n"s,
                                 "http://app/\0"s,
                                 "http://app/\x7f"s,
                                 "http://app/%"s,
                                 "http://app/%zz"s,
                                 "http://[::1/"s,
                                 "http://[app]/"s,
                                 "http://app\\x/"s,
                                 "http://app/\xe4"s}) {
    request_.url = url;
    EXPECT_EQ(call().error(), Errc::bad_uri) << url;
  }
  EXPECT_EQ(server_.accepted(), 0U);
}

TEST_F(Calling, RefusesSchemesItDoesNotSpeak) {
  for (const std::string_view url : {"ftp://app/", "https://app/", "ws://app/", "file:///etc/passwd"}) {
    request_.url = url;
    EXPECT_EQ(call().error(), Errc::unsupported_scheme) << url;
  }
  EXPECT_EQ(server_.accepted(), 0U);
}

TEST_F(Calling, RefusesFieldsThatCannotBeSent) {
  using namespace std::string_literals;
  for (const std::string& value : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s}) {
    EXPECT_EQ(request_.fields.set("X", value).error(), Errc::bad_field_value);
    EXPECT_EQ(request_.fields.add(value, "v").error(), Errc::bad_field_name);
    EXPECT_EQ(lab_.run(lab_.client().post("http://app/", value, "body")).error(), Errc::bad_field_value);
  }
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(Calling, KeepsTheFieldsOfFramingForItself) {
  request_.url = "http://app/";
  for (const std::string_view name : {"Content-Length", "Transfer-Encoding"}) {
    request_.fields.clear();
    ASSERT_TRUE(request_.fields.set(name, "1"));
    EXPECT_EQ(call().error(), Errc::managed_field) << name;
  }
  EXPECT_EQ(server_.accepted(), 0U) << "found out before it dials";
}

TEST_F(Calling, RefusesMethodsItCannotSend) {
  request_.url = "http://app/";
  for (const http::Method method : {http::Method::connect, http::Method::other}) {
    request_.method = method;
    EXPECT_EQ(call().error(), Errc::bad_method);
  }
  EXPECT_EQ(server_.accepted(), 0U);
}

TEST_F(Calling, SaysWhyItCannotConnect) {
  request_.url = "http://nowhere/";
  EXPECT_EQ(call().error(), Errc::host_not_found);
  request_.url = "http://app:81/";
  EXPECT_EQ(call().error(), std::errc::connection_refused);
  EXPECT_THROW(lab_.get("http://app:81/"), std::system_error);
}

TEST_F(Calling, UsesRequestAndResponseAgain) {
  server_.answer("HTTP/1.1 404 Gone Fishing\r\nX-First: 1\r\nContent-Length: 5\r\n\r\nfirst");
  server_.answer("HTTP/1.1 200\r\nX-Second: 2\r\nContent-Length: 0\r\n\r\n");
  request_.url = "http://app/1";
  request_.method = http::Method::post;
  request_.body = "body";
  ASSERT_TRUE(request_.fields.set("X", "y"));
  ASSERT_TRUE(call());
  EXPECT_EQ(response_.status, 404);
  EXPECT_EQ(response_.reason, "Gone Fishing");
  EXPECT_EQ(response_.header("x-first"), "1");
  EXPECT_EQ(response_.body, "first");

  request_.clear();
  request_.url = "http://app/2";
  ASSERT_TRUE(call());
  EXPECT_EQ(server_.requests().at(1), "GET /2 HTTP/1.1\r\nHost: app\r\nUser-Agent: pipette\r\n\r\n");
  EXPECT_EQ(response_.status, 200);
  EXPECT_EQ(response_.reason, "");
  EXPECT_EQ(response_.header("x-first"), std::nullopt);
  EXPECT_EQ(response_.header("x-second"), "2");
  EXPECT_EQ(response_.body, "");
}

}  // namespace
}  // namespace pipette::client
