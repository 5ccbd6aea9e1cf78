// What nginx does beside what every site does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "pipette/lab/matchers.h"

#include "tests/interop/visitor.h"

namespace pipette::interop {
namespace {

using http::Method;
using lab::BodyIs;
using lab::HasHeader;
using lab::HasNoHeader;
using lab::HasStatus;
using lab::IsError;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Nginx : public Visitor {
 protected:
  void SetUp() override {
    start([&] { visit(start_nginx); });
  }

  // Until nginx has nothing open but the connection of who asks. It counts one less just before it closes it, and does
  // nothing else meanwhile.
  bool wait_until_alone() {
    Client observer(loopback().runtime());
    return loopback().wait_until([&] {
      const Result<client::Response> status = loopback().await(observer.get(site().url("/status")));
      return status && status->body.starts_with("Active connections: 1 ");
    });
  }
};

TEST_F(Nginx, SendsRanges) {
  struct Case {
    const char* range;
    int status;
    const char* content_range;
    const char* body;
  };
  for (const Case& each : {
           Case{"bytes=0-0", 206, "bytes 0-0/5", "H"},
           Case{"bytes=1-3", 206, "bytes 1-3/5", "ell"},
           Case{"bytes=-2", 206, "bytes 3-4/5", "lo"},
           Case{"bytes=3-", 206, "bytes 3-4/5", "lo"},
       }) {
    EXPECT_THAT(call(Method::get, "/hello", "Range", each.range),
                AllOf(HasStatus(each.status), HasHeader("Content-Range", each.content_range), BodyIs(each.body)));
  }
  EXPECT_THAT(call(Method::get, "/hello", "Range", "bytes=9-"),
              AllOf(HasStatus(416), HasHeader("Content-Range", "bytes */5")));
  EXPECT_THAT(call(Method::get, "/hello", "Range", "bytes=0-0,4-4"),
              AllOf(HasStatus(206), HasHeader("Content-Type", StartsWith("multipart/byteranges; boundary=")),
                    BodyIs(HasSubstr("Content-Range: bytes 4-4/5\r\n\r\no\r\n"))));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_F(Nginx, CompressesForWhoAsksForIt) {
  EXPECT_THAT(call(Method::get, "/zipped", "Accept-Encoding", "gzip"),
              AllOf(HasStatus(200), HasHeader("Content-Encoding", "gzip"), HasHeader("Transfer-Encoding", "chunked"),
                    BodyIs(StartsWith("\x1f\x8b"))))
      << "as it came: who asked for it decodes it";
  EXPECT_THAT(call(Method::get, "/zipped", "Accept-Encoding", "identity"),
              AllOf(HasStatus(200), HasNoHeader("Content-Encoding"), BodyIs(std::string(1000, 'z'))));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_F(Nginx, CompressesForAClientThatUndoesIt) {
  ClientOptions options;
  options.decompresses = true;
  use(options);
  const Result<client::Response> page = get("/zipped");
  EXPECT_THAT(page, AllOf(HasStatus(200), HasNoHeader("Content-Encoding"), BodyIs(std::string(1000, 'z'))));
  EXPECT_TRUE(page->was_decoded);
}

TEST_F(Nginx, SendsToAFolder) {
  EXPECT_THAT(get("/folder"), AllOf(HasStatus(200), BodyIs("the folder")));
  EXPECT_EQ(client().counts().redirected, 1U);
}

TEST_F(Nginx, ClosesAfterSoManyRequests) {
  for (int i = 0; i < 5; ++i) EXPECT_THAT(get("/two-a-connection"), BodyIs("one of two"));
  EXPECT_EQ(client().counts().dials, 3U);
  EXPECT_EQ(client().counts().repeated, 0U);
}

TEST_F(Nginx, ClosesWhatIdles) {
  EXPECT_THAT(get("/impatient"), BodyIs("be quick"));
  ASSERT_TRUE(wait_until_alone());
  EXPECT_THAT(get("/impatient"), BodyIs("be quick"));
  ASSERT_TRUE(wait_until_alone());
  EXPECT_THAT(post("/seen", "once"), BodyIs("POST 4")) << "seen before it was used, so nothing is repeated";
  EXPECT_EQ(client().counts().dials, 3U);
  EXPECT_EQ(client().counts().requests, 3U);
  EXPECT_EQ(client().counts().repeated, 0U);
}

TEST_F(Nginx, ClosesWhileTheClientCalls) {
  for (int i = 0; i < 100; ++i) EXPECT_THAT(get("/impatient"), BodyIs("be quick"));
  EXPECT_EQ(client().counts().requests, 100 + client().counts().repeated);
}

TEST_F(Nginx, RefusesALargeBodyBeforeItHasComeWhole) {
  for (int i = 0; i < 10; ++i) EXPECT_THAT(post("/small-bodies", big_body()), HasStatus(413));
  EXPECT_EQ(client().open_connections(), 0U);
  EXPECT_THAT(get("/small-bodies"), BodyIs("fits"));
}

TEST_F(Nginx, HangsUp) {
  EXPECT_THAT(get("/hang-up"), IsError(Errc::end_of_stream));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_THAT(post("/hang-up", "once"), IsError(Errc::end_of_stream));
  EXPECT_EQ(client().counts().repeated, 0U) << "of a POST it cannot be known whether it was done";
}

TEST_F(Nginx, RepeatsAGetThatWasHungUpOnAKeptConnection) {
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_THAT(get("/hang-up"), IsError(Errc::end_of_stream));
  EXPECT_EQ(client().counts().repeated, 1U);
}

}  // namespace
}  // namespace pipette::interop
