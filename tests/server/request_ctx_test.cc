// What a handler sees of the request: its first line, its fields, and where it comes from.
#include "pipette/server/request_ctx.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "pipette/server/exchange.h"

#include "tests/support/lone_loop.h"
#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using test::answer_of;
using test::get;
using test::ok;
using test::Serving;

TEST(RequestCtx, DecodesThePathWithoutDotSegmentsAndLeavesTheRest) {
  struct Row {
    std::string_view target;
    std::string_view path;
    std::string_view query;
  };
  for (const Row& row :
       {Row{"/", "/", ""}, Row{"/a/b?c=d?e", "/a/b", "c=d?e"}, Row{"/%41%2f%2F+?%41+", "/A//+", "%41+"},
        Row{"/a/../b//c/.", "/b//c/", ""}, Row{"/%2e%2E/..%2fa?../b", "/a", "../b"}, Row{"/?", "/", ""},
        Row{"/%25%32%35", "/%25", ""}, Row{"http://b?x", "/", "x"}, Row{"/%e2%82%ac", "/\xe2\x82\xac", ""}}) {
    bool is_called = false;
    answer_of(
        [&](RequestCtx& ctx) {
          is_called = true;
          EXPECT_EQ(ctx.target(), row.target);
          EXPECT_EQ(ctx.path(), row.path) << row.target;
          EXPECT_EQ(ctx.path(), row.path) << "the second time";
          EXPECT_TRUE(row.target.contains(ctx.path_original()) || ctx.path_original() == "/") << row.target;
          EXPECT_EQ(ctx.query(), row.query) << row.target;
        },
        get(row.target));
    EXPECT_TRUE(is_called) << row.target;
  }
}

TEST(RequestCtx, DecodesAPathAnewForEachRequest) {
  Serving app([](RequestCtx& ctx) { ctx.set_body(ctx.path()); });
  EXPECT_EQ(app.answer_to(get("/%41") + get("/%42") + get("/c")), ok("/A") + ok("/B") + ok("/c"));
}

TEST(RequestCtx, LooksUpQueryParameters) {
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(ctx.query("a"), "1");
        EXPECT_EQ(ctx.query("b c"), "d e");
        EXPECT_EQ(ctx.query("flag"), "");
        EXPECT_EQ(ctx.query("empty"), "");
        EXPECT_EQ(ctx.query("none"), std::nullopt);
        EXPECT_EQ(ctx.query("A"), std::nullopt);
      },
      get("/?a=1&a=2&b+c=d%20e&flag&empty=&=x"));
}

TEST(RequestCtx, ShowsTheRequest) {
  Serving app([&](RequestCtx& ctx) {
    EXPECT_EQ(ctx.method(), http::Method::post);
    EXPECT_TRUE(ctx.is_post());
    EXPECT_FALSE(ctx.is_get() || ctx.is_head());
    EXPECT_EQ(ctx.host(), "example.org:81");
    EXPECT_EQ(ctx.header("x-KEY"), "value");
    EXPECT_EQ(ctx.header(http::FieldName::host), "example.org:81");
    EXPECT_EQ(ctx.header("Cookie"), std::nullopt);
    EXPECT_EQ(ctx.headers().size(), 3U);
    EXPECT_EQ(ctx.body(), "body");
    EXPECT_EQ(ctx.local_address(), *net::Address::parse("10.0.1.1:80"));
    EXPECT_EQ(ctx.remote_address(), *net::Address::parse("10.0.0.1:49152"));
    EXPECT_EQ(ctx.now(), ctx.runtime().loop().now());
  });
  app.answer_to("POST / HTTP/1.1\r\nHost: example.org:81\r\nX-Key: \t value \t\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(app.worker().served(), 1U);
}

TEST(RequestCtx, KnowsItsMethod) {
  using Predicate = bool (RequestCtx::*)() const;
  struct Row {
    std::string_view method;
    Predicate is_it;
  };
  constexpr Row kRows[] = {
      {"GET", &RequestCtx::is_get},         {"HEAD", &RequestCtx::is_head},   {"POST", &RequestCtx::is_post},
      {"PUT", &RequestCtx::is_put},         {"PATCH", &RequestCtx::is_patch}, {"DELETE", &RequestCtx::is_delete},
      {"OPTIONS", &RequestCtx::is_options}, {"TRACE", &RequestCtx::is_trace}, {"get", nullptr},
  };
  for (const Row& row : kRows) {
    Serving app([&](RequestCtx& ctx) {
      EXPECT_EQ(ctx.method_text(), row.method);
      for (const Row& other : kRows) {
        const bool is_it = other.is_it != nullptr && (ctx.*other.is_it)();
        EXPECT_EQ(is_it, other.is_it != nullptr && &other == &row) << row.method << " " << other.method;
      }
      EXPECT_FALSE(ctx.is_connect());
    });
    app.answer_to(std::string(row.method) + " / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(app.worker().served(), 1U) << row.method;
  }
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  exchange.head.method = http::Method::connect;
  EXPECT_TRUE(exchange.ctx.is_connect());
}

TEST(RequestCtx, KnowsItsVersion) {
  for (const bool is_1_0 : {false, true}) {
    answer_of([&](RequestCtx& ctx) { EXPECT_EQ(ctx.is_http_1_0(), is_1_0); },
              is_1_0 ? "GET / HTTP/1.0\r\n\r\n" : test::kGet);
  }
}

TEST(RequestCtx, MakesTheUriThatTheRequestIsFor) {
  struct Row {
    std::string_view head;
    std::string_view uri;
  };
  constexpr Row kRows[] = {
      {"GET /a/../b?c=%20#d HTTP/1.1\r\nHost: App:80", ""},  // no fragment in a target
      {"GET /a/../b?c=%20 HTTP/1.1\r\nHost: App:80", "http://App:80/a/../b?c=%20"},
      {"GET //a?? HTTP/1.1\r\nHost: [::1]:8080", "http://[::1]:8080//a??"},
      {"GET http://b/c HTTP/1.1\r\nHost: a", "http://b/c"},
      {"GET HTTP://b?c HTTP/1.1\r\nHost: a", "HTTP://b?c"},
      {"OPTIONS * HTTP/1.1\r\nHost: a", "http://a"},
      {"GET / HTTP/1.0\r\nHost: a", "http://a/"},
      {"GET / HTTP/1.0", "none"},
  };
  for (const Row& row : kRows) {
    Serving app([&](RequestCtx& ctx) {
      const Result<const http::Uri*> uri = ctx.uri();
      EXPECT_EQ(uri ? (*uri)->full_uri() : "none", row.uri);
      EXPECT_TRUE(uri || uri.error() == Errc::bad_uri);
      EXPECT_EQ(ctx.uri(), uri) << "the second time";
    });
    app.answer_to(std::string(row.head) + "\r\n\r\n");
    EXPECT_EQ(app.worker().served(), row.uri.empty() ? 0U : 1U) << row.head;
  }
}

TEST(RequestCtx, MakesEachUriAnew) {
  Serving app([](RequestCtx& ctx) {
    const Result<const http::Uri*> uri = ctx.uri();
    ctx.set_body(uri ? (*uri)->full_uri() : "none");
  });
  EXPECT_EQ(app.answer_to(get("/1") + "GET /2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get("/3")),
            ok("http://a/1") + ok("none", "Connection: keep-alive\r\n") + ok("http://a/3"));
}

TEST(RequestCtx, NamesTheFieldsThatManyAskFor) {
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(ctx.referer(), "http://b/");
        EXPECT_EQ(ctx.user_agent(), "curl");
        EXPECT_EQ(ctx.content_type(), "text/html; charset=x");
      },
      get("/", "referer: http://b/\r\nUser-Agent: curl\r\nContent-Type: text/html; charset=x\r\n"));
  answer_of([](RequestCtx& ctx) {
    EXPECT_EQ(ctx.referer(), "");
    EXPECT_EQ(ctx.user_agent(), "");
    EXPECT_EQ(ctx.content_type(), "");
  });
}

TEST(RequestCtx, ReadsCookies) {
  answer_of(
      [](RequestCtx& ctx) {
        EXPECT_EQ(ctx.cookie("a"), "1");
        EXPECT_EQ(ctx.cookie("b"), "\"2\"");
        EXPECT_EQ(ctx.cookie("c"), "3");
        EXPECT_EQ(ctx.cookie("A"), std::nullopt);
        std::string all;
        http::CookieReader cookies = ctx.cookies();
        for (auto cookie = cookies.next(); cookie && *cookie; cookie = cookies.next()) {
          all.append((*cookie)->name).append("=").append((*cookie)->value).append(" ");
        }
        EXPECT_EQ(all, "a=1 a=9 b=\"2\" c=3 ");
      },
      get("/", "Cookie: a=1; a=9; b=\"2\"\r\nCookie: c=3\r\n"));
  answer_of([](RequestCtx& ctx) { EXPECT_EQ(ctx.cookie("a"), std::nullopt); });
}

TEST(RequestCtx, ReadsCredentials) {
  struct Row {
    std::string_view fields;
    std::string_view basic;
    std::string_view bearer;
  };
  constexpr Row kRows[] = {
      {"", "none", "none"},
      {"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", "Aladdin/open sesame", "none"},
      {"Authorization: Bearer abc\r\n", "none", "abc"},
      {"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ\r\n", "none", "none"},
      {"Authorization: Basic OmI=\r\nAuthorization: Bearer abc\r\n", "none", "none"},
      {"Proxy-Authorization: Basic OmI=\r\n", "none", "none"},
  };
  for (const Row& row : kRows) {
    answer_of(
        [&](RequestCtx& ctx) {
          const Result<http::BasicCredentials> basic = ctx.basic_auth();
          EXPECT_EQ(basic ? std::string(basic->user).append("/").append(basic->password) : "none", row.basic);
          EXPECT_TRUE(basic || basic.error() == Errc::bad_credentials);
          EXPECT_EQ(ctx.basic_auth(), basic) << "which is good yet";
          const Result<std::string_view> bearer = ctx.bearer_token();
          EXPECT_EQ(bearer.value_or("none"), row.bearer);
          EXPECT_TRUE(bearer || bearer.error() == Errc::bad_credentials);
        },
        get("/", row.fields));
  }
}

// The second that RFC 9110 counts dates from.
constexpr WallTime kThen = WallTime(784111777s);

TEST(RequestCtx, SaysWhatWasModifiedSince) {
  struct Row {
    std::string_view method;
    std::string_view field;
    Duration later;
    bool is_modified;
  };
  constexpr std::string_view kDate = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  for (const Row& row :
       {Row{"GET", "", 0s, true}, Row{"GET", kDate, -1s, false}, Row{"GET", kDate, 0s, false},
        Row{"GET", kDate, 999ms, false}, Row{"GET", kDate, 1s, true}, Row{"HEAD", kDate, 0s, false},
        Row{"POST", kDate, 0s, true}, Row{"GET", "If-Modified-Since: yesterday\r\n", 0s, true},
        Row{"GET", "If-None-Match: \"x\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 0s, true}}) {
    Serving app(
        [&](RequestCtx& ctx) { EXPECT_EQ(ctx.if_modified_since(kThen + row.later), row.is_modified) << row.field; });
    app.answer_to(std::string(row.method) + " / HTTP/1.1\r\nHost: a\r\n" + std::string(row.field) + "\r\n");
    EXPECT_EQ(app.worker().served(), 1U);
  }
}

TEST(RequestCtx, EvaluatesConditions) {
  struct Row {
    std::string_view fields;
    http::Verdict verdict;
  };
  for (const Row& row : {Row{"", http::Verdict::proceed}, Row{"If-None-Match: \"a\"\r\n", http::Verdict::not_modified},
                         Row{"If-None-Match: \"b\"\r\n", http::Verdict::proceed},
                         Row{"If-Match: \"b\"\r\n", http::Verdict::precondition_failed},
                         Row{"Range: bytes=0-1\r\nIf-Range: \"b\"\r\n", http::Verdict::proceed_without_range}}) {
    answer_of(
        [&](RequestCtx& ctx) {
          const http::EntityTag tag{.opaque = "a"};
          EXPECT_EQ(ctx.evaluate_conditions({.etag = tag, .last_modified = kThen}), row.verdict) << row.fields;
        },
        get("/", row.fields));
  }
}

TEST(RequestCtx, GivesTheIpOfEitherEnd) {
  answer_of([](RequestCtx& ctx) {
    EXPECT_EQ(ctx.remote_ip(), "10.0.0.1");
    EXPECT_EQ(ctx.local_ip(), "10.0.1.1");
  });
  struct Row {
    net::Address address;
    std::string_view ip;
  };
  for (const Row& row :
       {Row{*net::Address::parse("[2001:db8::1]:80"), "2001:db8::1"}, Row{*net::Address::parse("[::]:0"), "::"},
        Row{*net::Address::parse("unix:/a:1"), ""}, Row{*net::Address::parse("app:80"), ""}, Row{net::Address(), ""}}) {
    test::LoneLoop loop;
    Exchange exchange(http::HeadLimits(), *loop);
    const Ends ends{row.address, row.address};
    exchange.ends = &ends;
    EXPECT_EQ(exchange.ctx.remote_ip(), row.ip);
    EXPECT_EQ(exchange.ctx.local_ip(), row.ip);
  }
}

// What a session says of its connection, said by hand.
TEST(RequestCtx, TellsItsConnectionItsNumberAndItsTimes) {
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  const RequestCtx& ctx = exchange.ctx;
  const Ends ends{*net::Address::parse("10.0.1.1:80"), *net::Address::parse("[::1]:49152")};
  exchange.ends = &ends;
  exchange.connection_id = 0xabc;
  exchange.request_number = 2;
  exchange.connected_at = TimePoint(1s);
  exchange.started_at = TimePoint(2s);
  exchange.head.method_text = "PUT";
  exchange.head.target = "/a?b";
  EXPECT_EQ(ctx.connection_id(), 0xabcU);
  EXPECT_EQ(ctx.request_number(), 2U);
  EXPECT_EQ(ctx.id(), 0x00000abc00000002U);
  EXPECT_EQ(ctx.connected_at(), TimePoint(1s));
  EXPECT_EQ(ctx.started_at(), TimePoint(2s));
  EXPECT_EQ(ctx.to_string(), "#00000ABC00000002 - 10.0.1.1:80<->[::1]:49152 - PUT /a?b") << "without a Host";
  exchange.begin();
  exchange.head.authority = "app";
  EXPECT_EQ(ctx.to_string(), "#00000ABC00000002 - 10.0.1.1:80<->[::1]:49152 - PUT http://app/a?b");
}

// What a handshake has established, said by hand.
TEST(RequestCtx, TellsWhatSecuresItsConnection) {
  test::LoneLoop loop;
  Exchange exchange(http::HeadLimits(), *loop);
  RequestCtx& ctx = exchange.ctx;
  const Ends ends{*net::Address::parse("10.0.1.1:443"), *net::Address::parse("10.0.0.1:49152")};
  exchange.ends = &ends;
  EXPECT_FALSE(ctx.is_tls());
  EXPECT_EQ(ctx.tls(), nullptr);
  net::SecurityFacts facts;
  facts.protocol = "TLSv1.3";
  facts.server_name = "app";
  exchange.security = &facts;
  for (const int request : {1, 2}) {  // of the same connection
    exchange.begin();
    exchange.head.method_text = "GET";
    exchange.head.target = "/a";
    exchange.head.authority = "app";
    EXPECT_TRUE(ctx.is_tls()) << request;
    EXPECT_EQ(ctx.tls(), &facts);
    EXPECT_EQ((*ctx.uri())->full_uri(), "https://app/a");
    EXPECT_EQ(ctx.to_string(), "#0000000000000000 - 10.0.1.1:443<->10.0.0.1:49152 - GET https://app/a");
    EXPECT_TRUE(ctx.redirect("/b"));
    EXPECT_EQ(ctx.response_header("Location"), "https://app/b");
  }
  exchange.begin();
  exchange.head.target = "http://app/b";
  EXPECT_EQ((*ctx.uri())->full_uri(), "http://app/b") << "as its client says";
}

TEST(RequestCtx, TakesNobodysWordForASecuredConnection) {
  for (const std::string_view fields : {"", "X-Forwarded-Proto: https\r\n", "X-Forwarded-Ssl: on\r\n",
                                        "Forwarded: proto=https\r\n", "Front-End-Https: on\r\n"}) {
    const test::Answer answer = answer_of(
        [](RequestCtx& ctx) {
          EXPECT_FALSE(ctx.is_tls());
          EXPECT_EQ(ctx.tls(), nullptr);
          EXPECT_TRUE(ctx.redirect("/b"));
        },
        get("/", fields));
    EXPECT_EQ(answer.field("Location"), "http://a/b") << fields;
  }
}

}  // namespace
}  // namespace pipette::server
