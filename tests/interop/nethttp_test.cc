// What a server of Go's net/http does beside what every site does: much that is rare and allowed, and some that is
// broken.
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/client/cookie_jar.h"
#include "pipette/lab/matchers.h"

#include "tests/interop/visitor.h"

namespace pipette::interop {
namespace {

using namespace std::chrono_literals;
using http::Method;
using lab::BodyIs;
using lab::HasHeader;
using lab::HasNoHeader;
using lab::HasStatus;
using lab::IsError;
using testing::AllOf;
using testing::AnyOf;

class NetHttp : public Visitor {
 protected:
  void SetUp() override {
    start([&] { visit(start_nethttp); });
  }
};

TEST_F(NetHttp, SendsTrailers) {
  EXPECT_THAT(get("/trailer"), AllOf(HasStatus(200), HasHeader("Trailer", "X-Sum"), BodyIs("summed up")));
  const Result<client::Response> page = get("/trailer");
  EXPECT_THAT(page, HasNoHeader("X-Sum")) << "a trailer is no header";
  EXPECT_EQ(page->trailers.get("X-Sum"), "9");
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_F(NetHttp, HintsBeforeItAnswers) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(get("/hints"), AllOf(HasStatus(200), HasNoHeader("Link"), BodyIs("page")));
  }
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_F(NetHttp, SendsSlowly) {
  const TimePoint began = loopback().runtime().loop().now();
  EXPECT_THAT(get("/slow"), AllOf(HasStatus(200), BodyIs("0123456789")));
  EXPECT_GE(loopback().runtime().loop().now(), began + 20ms);
}

TEST_F(NetHttp, SendsRanges) {
  EXPECT_THAT(call(Method::get, "/hello", "Range", "bytes=1-3"),
              AllOf(HasStatus(206), HasHeader("Content-Range", "bytes 1-3/5"), BodyIs("ell")));
  EXPECT_THAT(call(Method::get, "/hello", "Range", "bytes=9-"), HasStatus(416));
}

TEST_F(NetHttp, RefusesALargeBodyBeforeItHasComeWhole) {
  for (int i = 0; i < 3; ++i) EXPECT_THAT(post("/refuse", big_body()), AllOf(HasStatus(413), BodyIs("too much\n")));
  EXPECT_EQ(client().open_connections(), 0U);
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
}

TEST_F(NetHttp, RefusesALargeBodyAndWaits) {
  ClientOptions options;
  options.write_timeout = 200ms;
  use(options);
  EXPECT_THAT(post("/refuse-and-wait", big_body()), AllOf(HasStatus(413), BodyIs("too much")));
}

TEST_F(NetHttp, RefusesASmallBodyUnread) {
  for (int i = 0; i < 3; ++i) EXPECT_THAT(post("/refuse", "too much"), HasStatus(413));
  EXPECT_EQ(client().counts().dials, 1U) << "the server has dropped it, and goes on";
}

// Go sends no 100 for a body that its handler does not read, and closes.
TEST_F(NetHttp, MayNotAgree) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(call(Method::post, "/refuse", "Expect", "100-continue", "too much"), HasStatus(413));
  }
}

TEST_F(NetHttp, SetsCookies) {
  client::CookieJar jar;
  ClientOptions options;
  options.cookies = &jar;
  use(options);
  EXPECT_THAT(get("/cookie"), BodyIs("welcome"));
  EXPECT_THAT(get("/cookie"), BodyIs("again: first"));
}

TEST_F(NetHttp, MaySendUntilItCloses) {
  for (unsigned i = 1; i <= 2; ++i) {
    EXPECT_THAT(get("/until-close"), AllOf(HasStatus(200), BodyIs("until the end")));
    EXPECT_EQ(client().counts().dials, i);
  }
}

TEST_F(NetHttp, MaySpeakTheOldVersion) {
  for (unsigned i = 1; i <= 2; ++i) {
    EXPECT_THAT(get("/old"), AllOf(HasStatus(200), BodyIs("old")));
    EXPECT_EQ(client().counts().dials, i) << "HTTP/1.0 keeps no connection";
  }
}

TEST_F(NetHttp, CutsItsAnswersShort) {
  EXPECT_THAT(get("/cut"), AnyOf(IsError(Errc::incomplete_message), IsError(Errc::connection_reset)));
  EXPECT_THAT(get("/cut?length"), AnyOf(IsError(Errc::incomplete_message), IsError(Errc::connection_reset)));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().repeated, 0U);
}

TEST_F(NetHttp, HangsUp) {
  EXPECT_THAT(get("/hang-up"), IsError(Errc::end_of_stream));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
}

TEST_F(NetHttp, IsGivenUpWhenItSaysNothing) {
  ClientOptions options;
  options.response_header_timeout = 20ms;
  use(options);
  EXPECT_THAT(get("/mute"), IsError(Errc::response_header_timeout));
  options.timeout = 10ms;
  use(options);
  EXPECT_THAT(get("/mute"), IsError(Errc::timed_out));
  EXPECT_EQ(client().open_connections(), 0U);
}

TEST_F(NetHttp, IsGivenUpWhenItStopsInTheMiddle) {
  ClientOptions options;
  options.body_timeout = 20ms;
  use(options);
  EXPECT_THAT(get("/stall"), IsError(Errc::body_timeout));
  EXPECT_EQ(client().open_connections(), 0U);
}

TEST_F(NetHttp, SendsMoreThanIsTaken) {
  ClientOptions options;
  options.max_response_body_bytes = big_body().size() - 1;
  use(options);
  EXPECT_THAT(get("/big"), IsError(Errc::body_too_large));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
}

}  // namespace
}  // namespace pipette::interop
