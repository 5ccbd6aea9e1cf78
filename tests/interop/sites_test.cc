// One body of tests for every site: what a client needs of any server.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "pipette/async/task_group.h"
#include "pipette/client/pipeline_client.h"
#include "pipette/client/response_stream.h"
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
using testing::EndsWith;
using testing::Ge;
using testing::Le;

class EverySite : public Visitor, public testing::WithParamInterface<SiteCase> {
 protected:
  void SetUp() override {
    start([&] { visit(GetParam().start); });
  }
};

TEST_P(EverySite, KeepsTheConnection) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(get("/hello"), AllOf(HasStatus(200), HasHeader("Content-Length", "5"), BodyIs("Hello")));
  }
  EXPECT_EQ(client().counts().dials, 1U);
  EXPECT_EQ(client().counts().reused, 4U);
}

TEST_P(EverySite, AnswersAHeadWithoutABody) {
  EXPECT_THAT(head("/hello"), AllOf(HasStatus(200), HasHeader("Content-Length", "5"), BodyIs("")));
  EXPECT_THAT(head("/chunked"), AllOf(HasStatus(200), BodyIs("")));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, SendsChunks) {
  EXPECT_THAT(get("/chunked"), AllOf(HasStatus(200), HasHeader("Transfer-Encoding", "chunked"),
                                     HasNoHeader("Content-Length"), BodyIs("one two three")));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, CarriesALargeBodyDown) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(has_big_body(get("/big")));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, CarriesALargeBodyUp) {
  for (int i = 0; i < 2; ++i) EXPECT_THAT(put("/store/big", big_body()), HasStatus(AllOf(Ge(200), Le(204))));
  EXPECT_TRUE(has_big_body(get("/store/big")));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, TakesABodyOfAnySize) {
  // Around the sizes that the client handles in other ways: none, with the head, behind it.
  for (const std::size_t size : {0U, 1U, 4095U, 4096U, 16383U, 16384U, 16385U, 100'000U}) {
    const std::string body(size, 's');
    EXPECT_THAT(put("/store/sized", body), HasStatus(AllOf(Ge(200), Le(204)))) << size;
    EXPECT_THAT(get("/store/sized"), BodyIs(body)) << size;
  }
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, MayBeAskedToAgreeFirst) {
  EXPECT_THAT(call(Method::put, "/store/agreed", "Expect", "100-continue", "agreed"), HasStatus(201));
  EXPECT_THAT(get("/store/agreed"), BodyIs("agreed"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, SaysThatNothingIsNew) {
  const Result<client::Response> first = get("/hello");
  ASSERT_THAT(first, HasHeader("ETag"));
  const std::string tag(*first->header("ETag"));
  EXPECT_THAT(call(Method::get, "/hello", "If-None-Match", tag), AllOf(HasStatus(304), BodyIs("")));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, SendsElsewhere) {
  struct Case {
    std::string_view path;
    std::string_view seen_of_get;
    std::string_view seen_of_post;
    std::string_view seen_of_put;
  };
  for (const Case& each : {
           Case{"/moved/301", "GET ", "GET ", "PUT 3"},
           Case{"/moved/302", "GET ", "GET ", "PUT 3"},
           Case{"/moved/303", "GET ", "GET ", "GET "},
           Case{"/moved/307", "GET ", "POST 4", "PUT 3"},
           Case{"/moved/308", "GET ", "POST 4", "PUT 3"},
       }) {
    EXPECT_THAT(get(each.path), AllOf(HasStatus(200), BodyIs(each.seen_of_get))) << each.path;
    EXPECT_THAT(post(each.path, "four"), AllOf(HasStatus(200), BodyIs(each.seen_of_post))) << each.path;
    EXPECT_THAT(put(each.path, "put"), AllOf(HasStatus(200), BodyIs(each.seen_of_put))) << each.path;
    EXPECT_THAT(head(each.path), AllOf(HasStatus(200), BodyIs(""))) << each.path;
  }
  EXPECT_EQ(client().counts().dials, 1U);
  EXPECT_EQ(client().counts().redirected, 20U);
}

TEST_P(EverySite, SendsALargeBodyElsewhere) {
  EXPECT_THAT(post("/moved/308", big_body()), BodyIs("POST " + std::to_string(big_body().size())));
}

TEST_P(EverySite, TellsWhereToIfTheClientDoesNotFollow) {
  ClientOptions options;
  options.redirects.max = 0;
  use(options);
  EXPECT_THAT(get("/moved/302"), AllOf(HasStatus(302), HasHeader("Location", EndsWith("/seen"))));
}

TEST_P(EverySite, IsLeftWhenItSendsRoundInCircles) {
  EXPECT_THAT(get("/round"), IsError(Errc::too_many_redirects));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, ClosesAfterTheLast) {
  for (unsigned i = 1; i <= 3; ++i) {
    EXPECT_THAT(get("/last"), AllOf(HasStatus(200), HasHeader("Connection", "close"), BodyIs("last")));
    EXPECT_EQ(client().counts().dials, i);
    EXPECT_EQ(client().open_connections(), 0U);
  }
  EXPECT_EQ(client().counts().repeated, 0U);
}

TEST_P(EverySite, ClosesWhenAskedTo) {
  for (unsigned i = 1; i <= 2; ++i) {
    EXPECT_THAT(call(Method::get, "/hello", "Connection", "close"), AllOf(HasStatus(200), BodyIs("Hello")));
    EXPECT_EQ(client().counts().dials, i);
    EXPECT_EQ(client().open_connections(), 0U);
  }
}

TEST_P(EverySite, DoesNotHaveEverything) {
  EXPECT_THAT(get("/no-such-page"), HasStatus(404));
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  EXPECT_EQ(client().counts().dials, 1U);
}

Task<> note(Task<Result<client::Response>> call, int& answered) {
  const Result<client::Response> response = co_await call;
  if (response && response->status == 200 && response->body == "Hello") ++answered;
}
Task<> join(async::TaskGroup& calls) { co_await calls.join(); }

TEST_P(EverySite, AnswersManyAtOnce) {
  ClientOptions options;
  options.max_conns_per_host = 8;
  use(options);
  int answered = 0;
  async::TaskGroup calls(loopback().runtime().loop());
  for (int i = 0; i < 200; ++i) calls.spawn(note(client().get(site().url("/hello")), answered));
  loopback().run(join(calls));
  EXPECT_EQ(answered, 200);
  EXPECT_EQ(client().counts().dials, 8U);
  EXPECT_EQ(client().counts().repeated, 0U);
}

TEST_P(EverySite, AnswersAPipelineInOrder) {
  client::PipelineOptions options;
  options.max_connections = 2;
  client::PipelineClient pipeline(loopback().runtime(), site().url(""), options);
  int answered = 0;
  async::TaskGroup calls(loopback().runtime().loop());
  for (int i = 0; i < 80; ++i) {  // of which nginx answers some in chunks
    calls.spawn(note(pipeline.get(i % 4 == 0 ? "/chunked" : "/hello"), answered));
  }
  loopback().run(join(calls));
  EXPECT_EQ(answered, 60);
  EXPECT_EQ(pipeline.counts().dials, 2U);
  EXPECT_EQ(pipeline.counts().repeated, 0U);
}

// The whole of the big body, in pieces of odd sizes.
class BigBody final : public BodySource {
 public:
  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t size = big_body().copy(into.data(), std::min<std::size_t>(into.size(), 9'999), at_);
    at_ += size;
    co_return size;
  }

 private:
  std::size_t at_ = 0;
};

Task<bool> reads_big_body(client::ResponseStream& stream) {
  std::string room(12'345, ' ');
  std::size_t at = 0;
  for (;;) {
    const Result<std::size_t> size = co_await stream.read(room);
    if (!size) co_return false;
    if (*size == 0) co_return at == big_body().size();
    if (big_body().compare(at, *size, room, 0, *size) != 0) co_return false;
    at += *size;
  }
}

TEST_P(EverySite, CarriesALargeBodyPieceByPiece) {
  for (const bool is_chunked : {false, true}) {
    BigBody body;
    client::Request request;
    request.method = Method::put;
    request.url = site().url("/store/streamed");
    request.body_source = &body;
    if (!is_chunked) request.body_length = big_body().size();
    EXPECT_THAT(loopback().await(client().call(request)), HasStatus(AllOf(Ge(200), Le(204))));
    request.clear();
    request.url = site().url("/store/streamed");
    Result<client::ResponseStream> stream = loopback().await(client().stream(request));
    ASSERT_TRUE(stream);
    EXPECT_TRUE(loopback().await(reads_big_body(*stream)));
  }
  EXPECT_EQ(client().counts().dials, 1U);
}

TEST_P(EverySite, LosesNothingButAConnectionToAStreamThatEndsEarly) {
  client::Request request;
  request.url = site().url("/big");
  {
    ASSERT_TRUE(loopback().await(client().stream(request)));
  }
  EXPECT_EQ(client().open_connections(), 0U);
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
}

TEST_P(EverySite, IsMissedWhenItHasStopped) {
  EXPECT_THAT(get("/hello"), BodyIs("Hello"));
  site().stop();
  EXPECT_THAT(get("/hello"), IsError(Errc::connection_refused));
  EXPECT_THAT(post("/seen", "once"), IsError(Errc::connection_refused));
}

INSTANTIATE_TEST_SUITE_P(Of, EverySite,
                         testing::Values(SiteCase{"nginx", start_nginx}, SiteCase{"nethttp", start_nethttp},
                                         SiteCase{"pipette", start_pipette}),
                         [](const auto& site) { return site.param.name; });

}  // namespace
}  // namespace pipette::interop
